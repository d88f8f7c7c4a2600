"""How leases end, and how what ended for its age is forgotten. Pure handlers."""

from msgspec.structs import replace

from registry.catalog.bounds import MAX_CAUSE_LENGTH
from registry.catalog.commands import Expire, Expiry, Forget
from registry.catalog.gone import EXPIRED
from registry.catalog.outcomes import Code, Outcome
from registry.catalog.records import Lease, When, gone_of, key_of
from registry.catalog.state import State
from registry.model import Status

FORGOTTEN_AT_ONCE = 1_000
"""With one Forget: a millisecond or two."""


def expire(state: State, position: int, command: Expire) -> Outcome:
    """End each lease that was not renewed since the keeper saw it."""
    when = When(position, command.at_ms)
    keeps = command.schema >= 2  # As the version did that wrote schema 1 (I1).
    codes = [_one(state, i, when, keeps=keeps) for i in command.items]
    return Outcome(Code.OK, 0, tuple(codes))


def _one(state: State, item: Expiry, when: When, *, keeps: bool) -> Code:
    lease = state.leases.get(item.service_id)
    if lease is None:
        return Code.UNKNOWN_SERVICE_ID
    registration = lease.registration
    if registration.generation != item.generation:
        return Code.STALE_GENERATION
    if lease.renewed_at > item.renewed_at:
        return Code.RENEWED_SINCE
    key = key_of(registration)
    slot = state.slots[key]
    cause = _cause(lease, item.after_s)
    others = (state.leases[i] for i in slot.ids if i != item.service_id)
    is_last = not lease.expired and all(other.expired for other in others)
    if keeps and registration.probed and is_last:
        # Kept, as its check may pass again. The new renewed_at fences a second
        # Expire of a keeper that had not seen this one.
        state.leases[item.service_id] = Lease(
            registration, when.position, lease.heartbeat_ms, lease.size_bytes, True
        )
        if slot.status is Status.UNHEALTHY:
            # What made it unhealthy is what somebody who asks wants to know.
            cause = f"{cause}; before: {slot.cause}"[:MAX_CAUSE_LENGTH]
        state.set_status(key, Status.UNHEALTHY, cause, when)
        return Code.OK
    state.remove(item.service_id, when, cause)
    gone = gone_of(lease, slot.status, cause, when)
    if not keeps:
        # The same as is read from a snapshot of schema 1.
        gone = replace(gone, position=registration.generation, cause=EXPIRED)
    state.gone.remember(gone)
    return Code.OK


def _cause(lease: Lease, after_s: float) -> str:
    if lease.expired:
        return f"deregistered: unhealthy for {after_s:g} s"
    check = "" if lease.registration.probed is None else " or passing check"
    return f"lease_expired: no heartbeat{check} for {after_s:g} s"


def forget(state: State, position: int, command: Forget) -> Outcome:
    """Let go of what is older than ``before``, oldest first, a bounded number."""
    # The ended are not counted: after an upgrade replicas may know different ones.
    state.ended.forget_before(command.before, FORGOTTEN_AT_ONCE)
    left = FORGOTTEN_AT_ONCE
    left -= state.gone.forget_before(command.before, left)
    absent = [
        key
        for key, drain in state.drains.items()
        if key not in state.slots and drain.idle_since < command.before
    ]
    for key in absent[:left]:
        del state.drains[key]
        state.changed.append(key)
        left -= 1
    return Outcome(Code.OK, FORGOTTEN_AT_ONCE - left)
