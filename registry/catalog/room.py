"""Whether the catalog has room for one registration more. Pure."""

from registry.catalog.outcomes import Code
from registry.catalog.records import Lease
from registry.catalog.state import State
from registry.model import ServiceName


def full_for(
    state: State, name: ServiceName, size_bytes: int, former: Lease | None
) -> Code | None:
    """Return the bound that one more registration, or its successor, would pass."""
    limits = state.limits
    if former is None:
        if len(state.leases) >= limits.registrations:
            return Code.TOO_MANY_REGISTRATIONS
        if len(state.services) >= limits.services and name not in state.services:
            return Code.TOO_MANY_SERVICES
    growth = size_bytes - (0 if former is None else former.size_bytes)
    # What does not grow is always let in: a full catalog must be kept up.
    if growth > 0 and state.bytes + growth > limits.bytes:
        return Code.TOO_MANY_BYTES
    return None
