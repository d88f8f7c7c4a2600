"""The state machine: each command's handler. Same commands, same state (I1).

A handler sees the command, its position and the state, nothing else. A refusal is an
outcome and leaves the state untouched (I2): every handler decides before it changes
anything. The wall times in commands are shown to people; nothing decides by them.

What registering does to a status. Who registers asserts that the instance is up, so the
instance gets the command's ``initial_status`` with cause ``registered``, whatever it
was, with one exception: an instance that has the status already, or is asked to
go back from healthy to starting, keeps status and cause. So a second process
behind a healthy address does not hide it, and a restarted one ends an ``unhealthy``.

What revives. A heartbeat brings an expired registration back as a new generation. With
a check it begins anew, with its ``initial_status``, as what was known of it is a lease
old; without one it comes back with what it last reported. Other registrations that
kept the instance listed are not overruled. An address that was given to another service
since (``exclusive``) is not taken back: who still lives there registers again.

Who speaks of a status. What a service reports of itself outranks its check, and takes
the place of what the check found even if the status is the same. But it is no proof of
life: a report that comes after the expiry is stale.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from registry.catalog import draining, expiry, outcomes, snapshot_format
from registry.catalog.bounds import LIMITS, Limits
from registry.catalog.causes import REPORTED
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Drain,
    Expire,
    Forget,
    Opinion,
    Register,
    Renew,
    SetStatus,
    Suspect,
    Undrain,
)
from registry.catalog.decoding import decode
from registry.catalog.discarding import discard
from registry.catalog.events import Listener
from registry.catalog.exclusive import clear_address, is_replaced
from registry.catalog.outcomes import Code, Outcome
from registry.catalog.records import Lease, Slot, When, gone_of, key_of
from registry.catalog.registering import registration_of
from registry.catalog.room import full_for
from registry.catalog.state import State
from registry.catalog.views import Catalog
from registry.model import ServiceId, Status

REGISTERED = "registered"
REVIVED = "revived by heartbeat"
DEREGISTERED = "deregistered"
_DISCARD_AT_ONCE = 500
"""Of a replaced state, with each entry applied: a fraction of a millisecond."""
_MOST_REPLACED = 2
"""States that wait to be let go: of snapshots that came faster than entries."""

Handler = Callable[[State, int, Any], Outcome]
_HANDLERS: dict[type, Handler] = {
    Expire: expiry.expire,
    Forget: expiry.forget,
    Drain: draining.drain,
    Undrain: draining.undrain,
}


class CatalogMachine:
    """The catalog as the log's state machine. Owned by the event loop.

    ``catalog`` is the read side; it stays the same object for the machine's life, and
    so do the ``listeners``.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.listeners: list[Listener] = []
        self._state = State(limits)
        self._replaced: deque[State] = deque()
        self.catalog = Catalog(self._state)

    @property
    def state(self) -> State:
        """The state, for ``invariants.check``; nobody else has business with it."""
        return self._state

    def apply(self, position: int, command: bytes) -> bytes:
        """Carry out one encoded command; return its encoded outcome.

        Raises UnknownCommandError. Any other exception is the same on every replica.
        """
        decoded = decode(command)
        match decoded:
            case Register():
                outcome = self._register(position, decoded, len(command))
            case Renew():
                outcome = self._renew(position, decoded)
            case _:
                outcome = self._carry_out(position, decoded)
        return outcomes.encode(outcome)

    def _carry_out(self, position: int, command: AnyCommand) -> Outcome:
        match command:
            case Deregister():
                return self._deregister(position, command)
            case SetStatus():
                return self._set_status(position, command)
            case Suspect():
                for listener in self.listeners:
                    listener.suspected(position, command)
            case Opinion():
                for listener in self.listeners:
                    listener.opined(position, command)
            case _:
                return _HANDLERS[type(command)](self._state, position, command)
        return Outcome(Code.OK)

    def applied(self, index: int) -> None:
        """Show ``index`` as the one up to which everything is applied."""
        state = self._state
        state.index = index
        if state.changed:
            for listener in self.listeners:
                listener.changed(state.changed)
            state.changed = []
        if self._replaced and discard(self._replaced[0], _DISCARD_AT_ONCE):
            self._replaced.popleft()

    def snapshot(self) -> Iterable[bytes]:
        """Copy the state now; encode it as the chunks are drawn, in any thread."""
        return snapshot_format.write(self._state)

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """Replace the state by a snapshot's, in steps; the last one swaps it in.

        Raises ValueError when the chunks are not a whole snapshot that we understand.
        """
        reader = snapshot_format.Reader(self._state.limits)
        for chunk in chunks:
            reader.take(chunk)
            yield
        restored = reader.finish()
        self._replaced.append(self._state)
        if len(self._replaced) > _MOST_REPLACED:
            self._replaced.popleft()  # At once: a stall is better than no memory.
        self._state = restored
        self.catalog.adopt(self._state)

    def _register(self, position: int, command: Register, size_bytes: int) -> Outcome:
        state, at_ms = self._state, command.at_ms
        service_id = command.service_id
        known = state.leases.get(service_id)
        # One that a heartbeat could still bring back has its name, too.
        gone = state.gone.get(service_id) if known is None else None
        claim = known or gone
        if claim is not None and claim.registration.name != command.name:
            return Outcome(Code.SERVICE_ID_TAKEN)
        full = full_for(state, command.name, size_bytes, known)
        if full is not None:
            return Outcome(full)
        registration = registration_of(position, command)
        status, cause = command.initial_status, REGISTERED
        key = key_of(registration)
        slot = state.slots.get(key)
        if slot is not None and _keeps(slot.status, status):
            key, status, cause = slot.key, slot.status, slot.cause
        # At any time an id is in one of the three at most.
        if gone is not None:
            state.gone.forget(service_id)
        elif known is None:
            state.ended.forget(service_id)
        lease = Lease(registration, position, at_ms, size_bytes)
        when = When(position, at_ms)
        state.place(key, lease, status, cause, when)
        if command.exclusive:
            clear_address(state, registration, when)
        return Outcome(Code.OK, position)

    def _deregister(self, position: int, command: Deregister) -> Outcome:
        state, when = self._state, When(position, command.at_ms)
        service_id = command.service_id
        lease, gone = state.leases.get(service_id), state.gone.get(service_id)
        if lease is not None:
            status = state.slots[key_of(lease.registration)].status
            state.remove(service_id, when, DEREGISTERED)
            state.ended.remember(gone_of(lease, status, DEREGISTERED, when))
        elif gone is not None:
            # No stray heartbeat may bring back what was ended.
            state.gone.forget(service_id)
            state.ended.remember(
                msgspec.structs.replace(
                    gone, at_ms=when.at_ms, position=position, cause=DEREGISTERED
                )
            )
        else:
            return Outcome(Code.UNKNOWN_SERVICE_ID)
        return Outcome(Code.OK)

    def _renew(self, position: int, command: Renew) -> Outcome:
        leases, renew = self._state.leases, self._state.renew
        at_ms, renewed, codes = command.at_ms, Code.OK, []
        for service_id in command.service_ids:
            lease = leases.get(service_id)
            if lease is not None and not lease.expired:
                renew(lease, position, at_ms)
                codes.append(renewed)
            elif command.by_check:
                codes.append(Code.UNKNOWN_SERVICE_ID)
            else:
                codes.append(self._revive(service_id, When(position, at_ms)))
        generation = position if Code.REVIVED in codes else 0
        return Outcome(Code.OK, generation, tuple(codes))

    def _revive(self, service_id: ServiceId, when: When) -> Code:
        state = self._state
        kept, gone = state.leases.get(service_id), state.gone.get(service_id)
        former = kept or gone
        if former is None or is_replaced(state, former.registration):
            return Code.UNKNOWN_SERVICE_ID
        full = full_for(state, former.registration.name, former.size_bytes, kept)
        if full is not None:
            return full
        registration = msgspec.structs.replace(
            former.registration, generation=when.position
        )
        key = key_of(registration)
        slot = state.slots.get(key)
        if slot is not None and any(not state.leases[i].expired for i in slot.ids):
            # Others kept the instance listed: a heartbeat is no judgement.
            status, cause = slot.status, slot.cause
        elif registration.probed is not None:
            status, cause = registration.initial_status, REVIVED
            if slot is not None and _keeps(slot.status, status):
                status, cause = slot.status, slot.cause
        else:
            status = registration.initial_status if gone is None else gone.status
            cause = REVIVED
        state.gone.forget(service_id)
        heartbeat_ms = max(when.at_ms, former.heartbeat_ms)
        lease = Lease(registration, when.position, heartbeat_ms, former.size_bytes)
        state.place(key, lease, status, cause, when)
        return Code.REVIVED

    def _set_status(self, position: int, command: SetStatus) -> Outcome:
        state = self._state
        lease = state.leases.get(command.service_id)
        if lease is None:
            return Outcome(Code.UNKNOWN_SERVICE_ID)
        registration = lease.registration
        slot = state.slots[key_of(registration)]
        by_check, status = command.by_check, command.status
        is_newest = slot.ids[-1] == command.service_id
        may_speak = is_newest if by_check else not lease.expired
        if registration.generation != command.generation or not may_speak:
            return Outcome(Code.STALE_GENERATION)
        is_same = slot.status is status and not _has_new_cause(slot, command)
        lives = by_check and status is Status.HEALTHY
        if is_same and not (lives and lease.expired):
            return Outcome(Code.UNCHANGED)
        if lives:
            state.leases[command.service_id] = Lease(
                registration,
                position,
                max(command.at_ms, lease.heartbeat_ms),
                lease.size_bytes,
            )
        when = When(position, command.at_ms)
        state.set_status(slot.key, status, command.cause, when)
        return Outcome(Code.OK)


def _has_new_cause(slot: Slot, command: SetStatus) -> bool:
    """Whether a status that stands already is told with a cause worth keeping."""
    if command.by_service:  # What it adds to a report of its own is not.
        return not slot.cause.startswith(REPORTED)
    return command.by_check and slot.cause != command.cause


def _keeps(status: Status, asserted: Status) -> bool:
    """Whether registering anew leaves the status, and its cause, as they are."""
    return status is asserted or (
        status is Status.HEALTHY and asserted is Status.STARTING
    )
