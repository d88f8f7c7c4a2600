"""How many files and connections this process may have open.

A replica that runs out of descriptors cannot go on with its log, so clients, who are
many, get what is left beside the reserve for the log and the peers, who are few.
"""

import resource
from collections.abc import Callable

Limit = tuple[int, int]
"""Soft and hard."""

MAX_DESCRIPTORS = 1_048_576
"""What Linux allows by default (fs.nr_open): with no limit at all we stop here."""
RESERVED_DESCRIPTORS = 256
LEAST_CONNECTIONS = 64


def read_limit() -> Limit:
    """Read the limit of this process."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def write_limit(limit: Limit) -> None:
    """Change it. Raises OSError or ValueError."""
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def raise_limit(
    read: Callable[[], Limit] = read_limit,
    write: Callable[[Limit], None] = write_limit,
) -> str:
    """Raise the soft limit to the hard one; return why not, or an empty text."""
    try:
        soft, hard = read()
        wanted = _bounded(hard)
        if _bounded(soft) < wanted:
            write((wanted, hard))
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def connections_allowed(soft_limit: int) -> int:
    """Return how many connections of clients may be open at once."""
    return max(LEAST_CONNECTIONS, _bounded(soft_limit) - RESERVED_DESCRIPTORS)


def _bounded(limit: int) -> int:
    unlimited = limit == resource.RLIM_INFINITY
    return MAX_DESCRIPTORS if unlimited else min(limit, MAX_DESCRIPTORS)
