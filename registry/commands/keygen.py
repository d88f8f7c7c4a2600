"""`registry keygen`: makes the shared key of a cluster's members."""

import os
from pathlib import Path

import click

from registry.commands.failures import CommandFailed


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def keygen(file: Path | None) -> None:
    """Make the shared key of a cluster's members.

    It is for the Raft port, and goes into FILE (mode 600) or to stdout. Give the same
    file to every member as SERVICE_REGISTRY_RAFT_KEY_FILE. To change a key, put the
    new one first into every file, and remove the old one afterwards.
    """
    # The one place beside node.py that knows the cluster: only it knows what a key is.
    from cluster.links.keys import generate_key

    line = generate_key().strip() + "\n"
    if file is None:
        click.echo(line, nl=False)
        return
    try:
        # Never over an existing key: the members would no longer understand each other.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(line)
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise CommandFailed(f"{file} exists already; it was left as it is") from None
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}") from None
    click.echo(f"wrote {file}; every member needs the same file", err=True)
