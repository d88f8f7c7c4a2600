"""A registry of the next schema: this one, but its drains need what only it knows.

The second version of a rolling upgrade. It goes into an image made from the other's,
and is the only file that is added there.
"""

from registry.catalog import commands

_needing = commands.needing


def needing(command: commands.AnyCommand) -> int:
    """Return the schema that a command needs in this version."""
    if isinstance(command, commands.Drain):
        return commands.SCHEMA
    return _needing(command)


def main() -> None:
    """Run the command line of that version."""
    # Before anything takes the old ones over by name.
    commands.SCHEMA += 1
    commands.needing = needing

    from registry import cli

    cli.main()


if __name__ == "__main__":
    main()
