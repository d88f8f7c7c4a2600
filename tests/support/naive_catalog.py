"""A second catalog, as plain as can be: one list, no index, everything looked up anew.

It is written from the rules in ARCHITECTURE and ``registry/catalog/machine.py``'s
docstring, not from the machine's code, so that the two can disagree. It keeps
registrations in one list, oldest generation first, and works the rest out by scanning.
"""

from dataclasses import dataclass, replace

import msgspec

from registry.catalog.bounds import LIMITS, Limits
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Expire,
    Expiry,
    Register,
    Renew,
    SetStatus,
)
from registry.catalog.outcomes import Code, Outcome
from registry.model import Instance, Registration, Status

Address = tuple[str, str, int]


@dataclass
class _Entry:
    """One registration that lives."""

    registration: Registration
    renewed_at: int
    heartbeat_ms: int
    size: int

    @property
    def address(self) -> Address:
        return _address(self.registration)


@dataclass(frozen=True)
class _Buried:
    """One registration that expired."""

    entry: _Entry
    status: Status
    at_ms: int


class NaiveCatalog:
    """Takes decoded commands, gives decoded outcomes."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._entries: list[_Entry] = []
        self._addresses: list[Address] = []
        self._status: dict[Address, tuple[Status, str]] = {}
        self._touched: dict[str, int] = {}
        self._buried: list[_Buried] = []
        self.last_removal = 0

    def apply(self, position: int, command: AnyCommand) -> Outcome:
        """Carry out one command."""
        names = {address[0] for address in self._addresses}
        outcome = self._carry_out(position, command)
        if names - {address[0] for address in self._addresses}:
            self.last_removal = position // 256
        return outcome

    def names(self) -> list[str]:
        """Return the names of services that have an instance."""
        return sorted({address[0] for address in self._addresses})

    def index_of(self, name: str) -> int:
        """Return the index that a reader of this service is shown."""
        return self._touched[name] if name in self.names() else self.last_removal

    def instances(self, name: str) -> list[Instance]:
        """Return the service's instances in the order in which they appeared."""
        return [self._instance(a) for a in self._addresses if a[0] == name]

    def registration(self, service_id: str) -> Registration | None:
        """Return the registration with this id."""
        entry = self._find(service_id)
        return None if entry is None else entry.registration

    def renewed_at(self, service_id: str) -> int | None:
        """Return the position of its last renewal."""
        entry = self._find(service_id)
        return None if entry is None else entry.renewed_at

    def count(self) -> int:
        """Return the number of registrations."""
        return len(self._entries)

    def _carry_out(self, position: int, command: AnyCommand) -> Outcome:
        match command:
            case Register():
                return self._register(position, command)
            case Deregister(service_id=service_id):
                return Outcome(self._deregister(position, service_id))
            case Renew(service_ids=ids, at_ms=at_ms):
                codes = tuple(self._renew(position, i, at_ms) for i in ids)
                return Outcome(Code.OK, position * (Code.REVIVED in codes), codes)
            case SetStatus():
                return Outcome(self._set_status(position, command))
            case Expire(items=items, at_ms=at_ms):
                codes = tuple(self._expire(position, i, at_ms) for i in items)
                return Outcome(Code.OK, 0, codes)

    def _register(self, position: int, command: Register) -> Outcome:
        known = self._find(command.service_id)
        claims = [] if known is None else [known]
        claims += self._revivable(command.service_id, command.at_ms)
        if any(claim.registration.name != command.name for claim in claims):
            return Outcome(Code.SERVICE_ID_TAKEN)
        size = len(msgspec.msgpack.encode(command))
        full = self._full(command.name, size)
        if known is not None:
            grows = size > known.size
            full = self._overweight(size - known.size) if grows else Code.OK
        if full is not Code.OK:
            return Outcome(full)
        fields = {
            field: getattr(command, field)
            for field in Registration.__struct_fields__
            if field not in ("generation", "registered_at_ms")
        }
        registration = Registration(
            generation=position, registered_at_ms=command.at_ms, **fields
        )
        status, cause = self._status.get(
            _address(registration), (Status.DRAINING, "there is none yet")
        )
        asserted = command.initial_status
        if status is Status.HEALTHY and asserted is Status.STARTING:
            asserted = Status.HEALTHY
        if status is not asserted or cause == "there is none yet":
            status, cause = asserted, "registered"
        entry = _Entry(registration, position, command.at_ms, size)
        self._enter(entry, (status, cause))
        return Outcome(Code.OK, position)

    def _deregister(self, position: int, service_id: str) -> Code:
        if self._is_buried(service_id):
            self._dig_up(service_id)
            return Code.OK
        entry = self._find(service_id)
        if entry is None:
            return Code.UNKNOWN_SERVICE_ID
        self._drop(position, entry)
        return Code.OK

    def _renew(self, position: int, service_id: str, at_ms: int) -> Code:
        entry = self._find(service_id)
        if entry is not None:
            entry.renewed_at = position
            entry.heartbeat_ms = max(entry.heartbeat_ms, at_ms)
            return Code.OK
        revivable = self._revivable(service_id, at_ms)
        if not revivable:
            return Code.UNKNOWN_SERVICE_ID
        old = revivable[0]
        full = self._full(old.registration.name, old.size)
        if full is not Code.OK:
            return full
        values = {
            f: getattr(old.registration, f) for f in Registration.__struct_fields__
        }
        registration = Registration(**{**values, "generation": position})
        buried = next(b for b in self._buried if b.entry is old)
        status = self._status.get(old.address, (buried.status, "revived by heartbeat"))
        heartbeat_ms = max(at_ms, old.heartbeat_ms)
        self._enter(_Entry(registration, position, heartbeat_ms, old.size), status)
        return Code.REVIVED

    def _set_status(self, position: int, command: SetStatus) -> Code:
        entry = self._find(command.service_id)
        if entry is None:
            return Code.UNKNOWN_SERVICE_ID
        if entry.registration.generation != command.generation:
            return Code.STALE_GENERATION
        if self._status[entry.address][0] is command.status:
            return Code.UNCHANGED
        self._status[entry.address] = (command.status, command.cause)
        self._touched[entry.registration.name] = position // 256
        return Code.OK

    def _expire(self, position: int, item: Expiry, at_ms: int) -> Code:
        entry = self._find(item.service_id)
        if entry is None:
            return Code.UNKNOWN_SERVICE_ID
        if entry.registration.generation != item.generation:
            return Code.STALE_GENERATION
        if entry.renewed_at > item.renewed_at:
            return Code.RENEWED_SINCE
        status = self._status[entry.address][0]
        self._drop(position, entry)
        self._buried.append(_Buried(replace(entry), status, at_ms))
        self._buried = self._buried[-self._limits.gone :]
        while sum(b.entry.size for b in self._buried) > self._limits.gone_bytes:
            self._buried.pop(0)
        self._bury_for_good(at_ms)
        return Code.OK

    def _bury_for_good(self, at_ms: int) -> None:
        """At most two go by age, and the newest stay whatever their age."""
        spare = max(0, len(self._buried) - self._limits.kept_gone)
        for buried in self._buried[: min(2, spare)]:
            if at_ms - buried.at_ms <= self._limits.gone_for_ms:
                break
            self._buried.remove(buried)

    def _revivable(self, service_id: str, at_ms: int) -> list[_Entry]:
        return [
            b.entry
            for b in self._buried
            if _id(b.entry) == service_id
            and at_ms - b.at_ms <= self._limits.gone_for_ms
        ]

    def _overweight(self, growth: int) -> Code:
        total = sum(entry.size for entry in self._entries)
        fits = total + growth <= self._limits.bytes
        return Code.OK if fits else Code.TOO_MANY_BYTES

    def _full(self, name: str, size: int) -> Code:
        if len(self._entries) >= self._limits.registrations:
            return Code.TOO_MANY_REGISTRATIONS
        names = self.names()
        if name not in names and len(names) >= self._limits.services:
            return Code.TOO_MANY_SERVICES
        return self._overweight(size)

    def _enter(self, entry: _Entry, status: tuple[Status, str]) -> None:
        """Make ``entry`` the newest registration; who had its id before it goes."""
        self._dig_up(_id(entry))
        position = entry.registration.generation
        former = self._find(_id(entry))
        if former is not None:
            self._entries.remove(former)
        self._entries.append(entry)
        if entry.address not in self._addresses:
            self._addresses.append(entry.address)
        self._status[entry.address] = status
        self._touched[entry.registration.name] = position // 256
        behind = [e for e in self._entries if e.address == entry.address]
        if len(behind) > self._limits.registrations_per_instance:
            self._entries.remove(behind[0])
        self._sweep()

    def _drop(self, position: int, entry: _Entry) -> None:
        self._entries.remove(entry)
        self._touched[entry.registration.name] = position // 256
        self._sweep()

    def _sweep(self) -> None:
        """Take the instances off the list that nobody stands behind any more."""
        alive = {entry.address for entry in self._entries}
        self._addresses = [a for a in self._addresses if a in alive]
        self._status = {a: s for a, s in self._status.items() if a in alive}

    def _is_buried(self, service_id: str) -> bool:
        return any(_id(b.entry) == service_id for b in self._buried)

    def _dig_up(self, service_id: str) -> None:
        self._buried = [b for b in self._buried if _id(b.entry) != service_id]

    def _find(self, service_id: str) -> _Entry | None:
        for entry in self._entries:
            if _id(entry) == service_id:
                return entry
        return None

    def _instance(self, address: Address) -> Instance:
        behind = [entry for entry in self._entries if entry.address == address]
        status, cause = self._status[address]
        return Instance(
            registration=behind[-1].registration,
            status=status,
            cause=cause,
            last_heartbeat_ms=max(entry.heartbeat_ms for entry in behind),
            registrations=len(behind),
        )


def _address(registration: Registration) -> Address:
    return (registration.name, registration.host, registration.port)


def _id(entry: _Entry) -> str:
    return entry.registration.service_id
