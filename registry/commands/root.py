"""The table of commands."""

from importlib.metadata import PackageNotFoundError, version

import click

from registry.commands.catalog import deregister, register, services
from registry.commands.configuration import config
from registry.commands.dev import dev
from registry.commands.drain import drain, undrain
from registry.commands.history import history
from registry.commands.keygen import keygen
from registry.commands.serve import serve
from registry.commands.status import status
from registry.commands.why import why


def _version() -> str:
    try:
        return version("raft-service-registry")
    except PackageNotFoundError:
        return "unknown (not installed)"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    _version(), prog_name="service-registry", message="%(prog)s %(version)s"
)
def root() -> None:
    """A clustered service registry.

    Exit codes: 0 done, 1 refused, 2 wrong usage or configuration, 3 no replica could
    answer.
    """


for _command in (
    serve, dev, status, services, register, deregister, drain, undrain, history, why,
    keygen, config,
):  # fmt: skip
    root.add_command(_command)
