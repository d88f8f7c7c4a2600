"""The causes that the catalog itself gives, beside those in the commands. Pure."""

from registry.model import Drain

DISPLACED = "displaced: too many registrations behind the address"
ELSEWHERE = "registered elsewhere"
ALL_EXPIRED = "lease_expired: only expired registrations are left"
REPORTED = "reported "
"""How the cause begins that a service's own report gives."""


def drained(drain: Drain) -> str:
    """Return why an instance is not listed that a drain lies over."""
    return f"drained: {drain.reason}" if drain.reason else "drained"
