"""How many files and connections this process may have open.

A replica that runs out of descriptors cannot go on with its log, so clients, who are
many, get what is left beside the reserve for the log and the peers, who are few, and
the share of the health checks, which would else fail for want of a connection.

    all = RESERVED_DESCRIPTORS + for_checks + connections_allowed
"""

import resource
from collections.abc import Callable

Limit = tuple[int, int]
"""Soft and hard."""

MAX_DESCRIPTORS = 1_048_576
"""What Linux allows by default (fs.nr_open): with no limit at all we stop here."""
RESERVED_DESCRIPTORS = 256
MOST_FOR_CHECKS = 4_096
"""2,000 connections are kept, 1,024 probes and 256 opinions are under way at once; the
rest is for a kept connection's second try, and for asking name servers.
"""
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


def for_checks(soft_limit: int) -> int:
    """Return how many are for health checks: a quarter beside the reserve, at most."""
    return min(MOST_FOR_CHECKS, _beside_reserve(soft_limit) // 4)


def connections_allowed(soft_limit: int) -> int:
    """Return how many connections of clients may be open at once."""
    left = _beside_reserve(soft_limit) - for_checks(soft_limit)
    return max(LEAST_CONNECTIONS, left)


def _beside_reserve(soft_limit: int) -> int:
    return max(0, _bounded(soft_limit) - RESERVED_DESCRIPTORS)


def _bounded(limit: int) -> int:
    unlimited = limit == resource.RLIM_INFINITY
    return MAX_DESCRIPTORS if unlimited else min(limit, MAX_DESCRIPTORS)
