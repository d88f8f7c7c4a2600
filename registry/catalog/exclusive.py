"""An address that is given anew belongs to its new owner alone. Pure.

    exclusive Register --> what other services have there ends, the oldest first
    heartbeat of what expired there before it --> unknown: it must register again

The second needs no search through the gone when the first is applied: the registration
remembers that it is exclusive, and its generation tells what was before it.
"""

from itertools import islice

from registry.catalog.bounds import MAX_CAUSE_LENGTH
from registry.catalog.records import When, gone_of, key_of
from registry.catalog.state import State
from registry.model import Registration

OWNERS_LOOKED_AT = 100
"""Instances at one address, when a heartbeat would revive another: the newest."""


def clear_address(state: State, owner: Registration, when: When) -> None:
    """End what other services registered at an address that was given anew.

    At most ``limits.cleared`` registrations; the rest with the next.
    """
    name, host, port = key_of(owner)
    cause = f"replaced: {host}:{port} belongs to {name} now"[:MAX_CAUSE_LENGTH]
    others = (state.slots[k] for k in state.addresses.at(host, port) if k[0] != name)
    claims = ((service_id, slot.status) for slot in others for service_id in slot.ids)
    for service_id, status in list(islice(claims, state.limits.cleared)):
        lease = state.remove(service_id, when, cause)
        state.ended.remember(gone_of(lease, status, cause, when))


def is_replaced(state: State, former: Registration) -> bool:
    """Whether the address of one that expired was given to another service since."""
    name, host, port = key_of(former)
    return any(
        claim.exclusive and claim.generation > former.generation
        for key in state.addresses.newest_at(host, port, OWNERS_LOOKED_AT)
        if key[0] != name
        for claim in (state.leases[i].registration for i in state.slots[key].ids)
    )
