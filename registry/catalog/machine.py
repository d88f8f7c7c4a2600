"""The state machine: each command's handler. Same commands, same state (I1).

A handler sees the command, its position and the state, nothing else. A refusal is an
outcome and leaves the state untouched (I2): every handler decides before it changes
anything. The wall times in commands are shown to people and bound how long an expired
registration is remembered; nothing else looks at them.

What registering does to a status. Who registers asserts that the instance is up, so the
instance gets the command's ``initial_status`` with cause ``registered``, whatever it
was, with one exception: an instance that has the status already, or is asked to
go back from healthy to starting, keeps status and cause. So a second process
behind a healthy address does not hide it, and a restarted one ends an ``unhealthy``.

What revives. A heartbeat brings an expired registration back as it was, status
included: an unhealthy instance still has to pass its check, a starting one its first.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import get_args

import msgspec

from registry.catalog import outcomes, snapshot_format
from registry.catalog.bounds import LIMITS, Limits
from registry.catalog.commands import (
    SCHEMA,
    AnyCommand,
    Deregister,
    Expire,
    Expiry,
    Register,
    Renew,
    SetStatus,
)
from registry.catalog.gone import Gone
from registry.catalog.outcomes import Code, Outcome
from registry.catalog.sharing import share_strings
from registry.catalog.state import POSITION_BITS, Lease, State, key_of
from registry.catalog.views import Catalog
from registry.model import Registration, ServiceId, ServiceName, Status

REGISTERED = "registered"
REVIVED = "revived by heartbeat"


_DISCARD_AT_ONCE = 500
"""Of a replaced state, with each entry applied: a fraction of a millisecond."""


class UnknownCommandError(Exception):
    """The log holds a command unknown to this version: stop, never skip (I1)."""


class _Header(msgspec.Struct, frozen=True, gc=False):
    """What every command has, whatever its version."""

    type: str
    schema: int


_decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)
_header_decoder = msgspec.msgpack.Decoder(_Header)
_KNOWN = frozenset(c.__struct_config__.tag for c in get_args(AnyCommand))


class CatalogMachine:
    """The catalog as the log's state machine. Owned by the event loop.

    ``catalog`` is the read side; it stays the same object for the machine's life.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._state = State(limits)
        self._replaced: State | None = None
        self.catalog = Catalog(self._state)
        handlers: tuple[tuple[type, Callable[..., Outcome]], ...] = (
            (Deregister, self._deregister),
            (Renew, self._renew),
            (SetStatus, self._set_status),
            (Expire, self._expire),
        )
        self._handlers = dict(handlers)

    @property
    def state(self) -> State:
        """The state, for ``invariants.check``; nobody else has business with it."""
        return self._state

    def apply(self, position: int, command: bytes) -> bytes:
        """Carry out one encoded command; return its encoded outcome.

        Raises UnknownCommandError. Any other exception is the same on every replica.
        """
        decoded = _decode(command)
        if isinstance(decoded, Register):
            outcome = self._register(position, decoded, len(command))
        else:
            outcome = self._handlers[type(decoded)](position, decoded)
        return outcomes.encode(outcome)

    def applied(self, index: int) -> None:
        """Show ``index`` as the one up to which everything is applied."""
        self._state.index = index
        if self._replaced is not None and self._replaced.discard(_DISCARD_AT_ONCE):
            self._replaced = None

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
        self._state, self._replaced = reader.finish(), self._state
        self.catalog.adopt(self._state)

    def _register(self, position: int, command: Register, size_bytes: int) -> Outcome:
        state = self._state
        service_id = command.service_id
        known = state.leases.get(service_id)
        # One that a heartbeat could still bring back has its name, too.
        claim = known or state.gone.revivable(service_id, command.at_ms)
        if claim is not None and claim.registration.name != command.name:
            return Outcome(Code.SERVICE_ID_TAKEN)
        full = self._full_for(command.name, size_bytes, known)
        if full is not None:
            return Outcome(full)
        registration = share_strings(_registration(position, command))
        status, cause = command.initial_status, REGISTERED
        slot = state.slots.get(key_of(registration))
        if slot is not None and _keeps(slot.status, status):
            status, cause = slot.status, slot.cause
        state.gone.forget(service_id)
        lease = Lease(registration, position, command.at_ms, size_bytes)
        state.place(lease, status, cause, position >> POSITION_BITS)
        return Outcome(Code.OK, position)

    def _deregister(self, position: int, command: Deregister) -> Outcome:
        state = self._state
        service_id = command.service_id
        if service_id in state.leases:
            state.remove(service_id, position >> POSITION_BITS)
        elif not state.gone.forget(service_id):
            return Outcome(Code.UNKNOWN_SERVICE_ID)
        # An expired one is forgotten: no stray heartbeat may bring back what was ended.
        return Outcome(Code.OK)

    def _renew(self, position: int, command: Renew) -> Outcome:
        state = self._state
        leases = state.leases
        codes = []
        at_ms = command.at_ms
        for service_id in command.service_ids:
            lease = leases.get(service_id)
            if lease is None:
                codes.append(self._revive(position, service_id, at_ms))
            else:
                state.renew(lease, position, at_ms)
                codes.append(Code.OK)
        generation = position if Code.REVIVED in codes else 0
        return Outcome(Code.OK, generation, tuple(codes))

    def _revive(self, position: int, service_id: ServiceId, at_ms: int) -> Code:
        state = self._state
        gone = state.gone.revivable(service_id, at_ms)
        if gone is None:
            return Code.UNKNOWN_SERVICE_ID
        full = self._full_for(gone.registration.name, gone.size_bytes, None)
        if full is not None:
            return full
        state.gone.forget(service_id)
        registration = msgspec.structs.replace(gone.registration, generation=position)
        slot = state.slots.get(key_of(registration))
        # Another registration kept the instance listed: a heartbeat is no judgement.
        status, cause = (
            (gone.status, REVIVED) if slot is None else (slot.status, slot.cause)
        )
        heartbeat_ms = max(at_ms, gone.heartbeat_ms)
        lease = Lease(registration, position, heartbeat_ms, gone.size_bytes)
        state.place(lease, status, cause, position >> POSITION_BITS)
        return Code.REVIVED

    def _set_status(self, position: int, command: SetStatus) -> Outcome:
        state = self._state
        lease = state.leases.get(command.service_id)
        if lease is None:
            return Outcome(Code.UNKNOWN_SERVICE_ID)
        if lease.registration.generation != command.generation:
            return Outcome(Code.STALE_GENERATION)
        key = key_of(lease.registration)
        if state.slots[key].status is command.status:
            return Outcome(Code.UNCHANGED)
        index = position >> POSITION_BITS
        state.set_status(key, command.status, command.cause, index)
        return Outcome(Code.OK)

    def _expire(self, position: int, command: Expire) -> Outcome:
        index = position >> POSITION_BITS
        codes = [self._expire_one(item, index, command.at_ms) for item in command.items]
        return Outcome(Code.OK, 0, tuple(codes))

    def _expire_one(self, item: Expiry, index: int, at_ms: int) -> Code:
        state = self._state
        lease = state.leases.get(item.service_id)
        if lease is None:
            return Code.UNKNOWN_SERVICE_ID
        if lease.registration.generation != item.generation:
            return Code.STALE_GENERATION
        if lease.renewed_at > item.renewed_at:
            return Code.RENEWED_SINCE
        registration = lease.registration
        status = state.slots[key_of(registration)].status
        state.remove(item.service_id, index)
        size_bytes = lease.size_bytes
        state.gone.remember(
            Gone(registration, status, lease.heartbeat_ms, at_ms, size_bytes)
        )
        return Code.OK

    def _full_for(
        self, name: ServiceName, size_bytes: int, former: Lease | None
    ) -> Code | None:
        """Return the bound that one more registration, or its successor, would pass."""
        state, limits = self._state, self._state.limits
        if former is None:
            if len(state.leases) >= limits.registrations:
                return Code.TOO_MANY_REGISTRATIONS
            if name not in state.services and len(state.services) >= limits.services:
                return Code.TOO_MANY_SERVICES
        growth = size_bytes - (0 if former is None else former.size_bytes)
        # What does not grow is always let in: a full catalog must be kept up.
        if growth > 0 and state.bytes + growth > limits.bytes:
            return Code.TOO_MANY_BYTES
        return None


def _registration(position: int, command: Register) -> Registration:
    return Registration(
        service_id=command.service_id,
        name=command.name,
        host=command.host,
        port=command.port,
        generation=position,
        registered_at_ms=command.at_ms,
        ttl_seconds=command.ttl_seconds,
        health_endpoint=command.health_endpoint,
        metadata=command.metadata,
        tags=command.tags,
        zone=command.zone,
        weight=command.weight,
        version=command.version,
    )


def _keeps(status: Status, asserted: Status) -> bool:
    """Whether registering anew leaves the status, and its cause, as they are."""
    return status is asserted or (
        status is Status.HEALTHY and asserted is Status.STARTING
    )


def _decode(command: bytes) -> AnyCommand:
    try:
        decoded = _decoder.decode(command)
    except msgspec.ValidationError as error:
        _demand_known(command, error)
        raise
    if decoded.schema > SCHEMA:
        raise UnknownCommandError(
            f"a command needs schema {decoded.schema}; this version knows {SCHEMA}"
        )
    return decoded


def _demand_known(command: bytes, error: msgspec.ValidationError) -> None:
    """Tell a newer version's command, which stops us, from a malformed one of ours.

    A malformed one is refused by every version that knows its schema; stopping
    for it would let one bad proposal stop the cluster for good.
    """
    try:
        header = _header_decoder.decode(command)
    except msgspec.DecodeError:
        return
    if header.schema > SCHEMA or header.type not in _KNOWN:
        raise UnknownCommandError(
            f"a command {header.type!r} of schema {header.schema} is not known here"
        ) from error
