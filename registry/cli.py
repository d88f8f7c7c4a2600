"""The entry point of the commands `registry` and `service-registry`."""

import sys

EXIT_USAGE = 2


def main() -> None:
    """Run the command line; says what to install if only the client library is."""
    try:
        # Here, not at the top: the base of the distribution is the client library,
        # and comes without click and rich.
        from registry.commands.root import root
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("registry", "cluster"):
            raise
        sys.stderr.write(
            f"registry: {error.name} is missing; the command line comes with:"
            " pip install 'raft-service-registry[server]'\n"
        )
        raise SystemExit(EXIT_USAGE) from None
    root(prog_name="registry")
