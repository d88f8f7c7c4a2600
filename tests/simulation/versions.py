"""Two versions of every simulated replica: the second knows marked commands as well.

The mark stands before a workload's command and is taken off before the machine sees
it, so that any workload can be run in a cluster that is being upgraded.
"""

from cluster.state_machine import UnknownCommand

OLD, NEW = 1, 2
"""The schemas that the two versions understand."""

UPGRADE_FIRST = "upgrade this replica"
"""What an old version says when it stops for a newer schema."""

_MARK = b"\xc1"
"""No msgpack value begins with it."""


def marked(command: bytes) -> bytes:
    """Return ``command`` as only the new version understands it."""
    return _MARK + command


def understood(command: bytes, schema: int) -> bytes:
    """Take the mark off. Raises UnknownCommand in the old version."""
    if command[:1] != _MARK:
        return command
    if schema < NEW:
        message = "a command of the new version"
        raise UnknownCommand(message)
    return command[1:]
