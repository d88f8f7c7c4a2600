"""A second catalog, as plain as can be: lists, no index, everything looked up anew.

It is written from the rules in ARCHITECTURE and ``registry/catalog/machine.py``'s
docstring, not from the machine's code, so that the two can disagree. It keeps
registrations in one list, oldest generation first, and works the rest out by scanning.
"""

import msgspec
from msgspec.structs import replace

from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Drain,
    Expire,
    Expiry,
    Forget,
    Key,
    Opinion,
    Register,
    Renew,
    SetStatus,
    Suspect,
    Undrain,
)
from registry.catalog.outcomes import Code, Outcome
from registry.model import Drain as Drained
from registry.model import Registration, Status
from tests.support.naive_memory import Address, Entry, Now, same_host
from tests.support.naive_state import NaiveState

FORGOTTEN_AT_ONCE = 1_000


class NaiveCatalog(NaiveState):
    """Takes decoded commands, gives decoded outcomes."""

    def apply(self, position: int, command: AnyCommand) -> Outcome:
        """Carry out one command."""
        self._now = Now(position, command.at_ms)
        names = self.names()
        outcome = self._carry_out(command)
        if set(names) - set(self.names()):
            self.last_removal = position // 256
        return outcome

    def _carry_out(self, command: AnyCommand) -> Outcome:
        codes: list[Code]
        match command:
            case Register():
                code = self._register(command)
                generation = self._now.position if code is Code.OK else 0
                return Outcome(code, generation)
            case Deregister():
                return Outcome(self._deregister(command.service_id))
            case Renew(service_ids=ids):
                codes = [self._renew(i, revives=not command.by_check) for i in ids]
                generation = self._now.position * (Code.REVIVED in codes)
                return Outcome(Code.OK, generation, tuple(codes))
            case SetStatus():
                return Outcome(self._set_status(command))
            case Expire(schema=schema, items=items):
                codes = [self._expire(item, schema) for item in items]
            case Drain(keys=keys):
                codes = [self._drain(key, command) for key in keys]
            case Undrain(keys=keys):
                codes = [self._undrain(key, command) for key in keys]
            case Forget(before=before):
                return Outcome(Code.OK, self._forget(before))
            case Suspect() | Opinion():
                return Outcome(Code.OK)
        return Outcome(Code.OK, 0, tuple(codes))

    def _register(self, command: Register) -> Code:
        known = self._find(command.service_id)
        for claim in (known, self._gone.find(command.service_id)):
            if claim is not None and claim.registration.name != command.name:
                return Code.SERVICE_ID_TAKEN
        size = len(msgspec.msgpack.encode(command))
        full = self._full(command.name, size)
        if known is not None:
            grows = size > known.size
            full = self._overweight(size - known.size) if grows else Code.OK
        if full is not Code.OK:
            return full
        fields = {
            field: getattr(command, field)
            for field in Registration.__struct_fields__
            if field not in ("generation", "registered_at_ms")
        }
        if command.schema == 1:  # It was not kept then.
            fields["initial_status"] = Status.HEALTHY
        registration = Registration(
            generation=self._now.position, registered_at_ms=command.at_ms, **fields
        )
        entry = Entry(registration, self._now.position, command.at_ms, size)
        self._ended.dig_up(command.service_id)
        asserted = self._asserted(entry.address, command.initial_status, "registered")
        self._enter(entry, asserted)
        if command.exclusive:
            self._evict_others(entry.address)
        return Code.OK

    def _asserted(
        self, address: Address, status: Status, cause: str
    ) -> tuple[Status, str]:
        """Say that an instance is up: to it, if it is no better off already."""
        if address not in self._status:
            return status, cause
        kept = self._status[address]
        keeps = [status]
        if status is Status.STARTING:
            keeps.append(Status.HEALTHY)
        return kept if kept[0] in keeps else (status, cause)

    def _evict_others(self, owner: Address) -> None:
        name, host, port = owner
        cause = f"replaced: {host}:{port} belongs to {name} now"
        others = [e for a in self._sharing(owner) for e in self._behind(a)]
        for entry, status in [
            (e, self._status[e.address][0]) for e in others[: self._limits.cleared]
        ]:
            self._ended.bury(replace(self._drop(entry, cause), status=status))

    def _sharing(self, owner: Address) -> list[Address]:
        """Return the addresses of other services at this host, however written."""
        name, host, port = owner
        return [
            address
            for address in self._addresses
            if (same_host(address[1], host), address[2]) == (True, port)
            and address[0] != name
        ]

    def _is_replaced(self, old: Registration) -> bool:
        """Whether another service was given its address since."""
        address = (old.name, old.host, old.port)
        return any(
            e.registration.exclusive and e.registration.generation > old.generation
            for other in self._sharing(address)
            for e in self._behind(other)
        )

    def _deregister(self, service_id: str) -> Code:
        gone, entry = self._gone.find(service_id), self._find(service_id)
        if gone is not None:
            self._gone.dig_up(service_id)
            position, at_ms = self._now.position, self._now.at_ms
            moved = replace(gone, position=position, at_ms=at_ms, cause="deregistered")
            self._ended.bury(moved)
            return Code.OK
        if entry is None:
            return Code.UNKNOWN_SERVICE_ID
        self._ended.bury(self._drop(entry, "deregistered"))
        return Code.OK

    def _renew(self, service_id: str, *, revives: bool) -> Code:
        entry, gone = self._find(service_id), self._gone.find(service_id)
        if entry is not None and not entry.expired:
            entry.renewed_at = self._now.position
            entry.heartbeat_ms = max(entry.heartbeat_ms, self._now.at_ms)
            return Code.OK
        if not revives or (entry is None and gone is None):
            return Code.UNKNOWN_SERVICE_ID
        former = entry if entry is not None else gone
        if former is not None and self._is_replaced(former.registration):
            return Code.UNKNOWN_SERVICE_ID
        if gone is not None:
            full = self._full(gone.registration.name, gone.size_bytes)
            if full is not Code.OK:
                return full
            entry = Entry(gone.registration, 0, gone.heartbeat_ms, gone.size_bytes)
        assert entry is not None
        self._revive(entry, None if gone is None else gone.status)
        return Code.REVIVED

    def _revive(self, old: Entry, reported: Status | None) -> None:
        position, address = self._now.position, old.address
        registration = replace(old.registration, generation=position)
        status = (reported or registration.initial_status, "revived by heartbeat")
        if any(not e.expired for e in self._behind(address)):
            status = self._status[address]
        elif registration.check is not None or registration.health_endpoint != "":
            status = self._asserted(address, registration.initial_status, status[1])
        heartbeat_ms = max(self._now.at_ms, old.heartbeat_ms)
        self._enter(Entry(registration, position, heartbeat_ms, old.size), status)

    def _set_status(self, command: SetStatus) -> Code:
        entry = self._find(command.service_id)
        if entry is None:
            return Code.UNKNOWN_SERVICE_ID
        if entry.registration.generation != command.generation:
            return Code.STALE_GENERATION
        address = entry.address
        if command.by_check and self._behind(address)[-1] is not entry:
            return Code.STALE_GENERATION
        if entry.expired and not command.by_check:
            return Code.STALE_GENERATION
        passed = command.by_check and command.status is Status.HEALTHY
        status, cause = self._status[address]
        repeats = status is command.status
        if command.by_check and (cause != command.cause or (passed and entry.expired)):
            repeats = False
        if command.by_service and cause[:9] != "reported ":
            repeats = False
        if repeats:
            return Code.UNCHANGED
        if passed:
            entry.renewed_at = self._now.position
            entry.heartbeat_ms = max(entry.heartbeat_ms, self._now.at_ms)
            entry.expired = False
        self._turn(address, command.status, command.cause)
        return Code.OK

    def _expire(self, item: Expiry, schema: int) -> Code:
        entry = self._find(item.service_id)
        if entry is None:
            return Code.UNKNOWN_SERVICE_ID
        registration = entry.registration
        if registration.generation != item.generation:
            return Code.STALE_GENERATION
        if entry.renewed_at > item.renewed_at:
            return Code.RENEWED_SINCE
        checked = registration.check is not None or registration.health_endpoint != ""
        what = "heartbeat or passing check" if checked else "heartbeat"
        cause = f"lease_expired: no {what} for {item.after_s:g} s"
        if entry.expired:
            cause = f"deregistered: unhealthy for {item.after_s:g} s"
        living = [e for e in self._behind(entry.address) if not e.expired]
        if schema > 1 and checked and living == [entry]:
            entry.expired = True
            entry.renewed_at = self._now.position
            status, before = self._status[entry.address]
            if status is Status.UNHEALTHY:
                cause = f"{cause}; before: {before}"[:256]
            self._turn(entry.address, Status.UNHEALTHY, cause)
            return Code.OK
        gone = self._drop(entry, cause)
        if schema == 1:  # As the version said that wrote it.
            position = registration.generation
            gone = replace(gone, position=position, cause="lease_expired")
        self._gone.bury(gone)
        return Code.OK

    def _drain(self, key: Key, command: Drain) -> Code:
        known = self._drain_of(key) is not None
        if not known and key not in self._addresses:
            return Code.UNKNOWN_SERVICE_ID
        if not known and len(self._drains) == self._limits.drains:
            return Code.TOO_MANY_DRAINS
        position, at_ms = self._now.position, self._now.at_ms
        drain = Drained(command.reason, at_ms, position, command.limit_seconds)
        self._drains = [(k, d) for k, d in self._drains if k != key]
        self._drains.append((key, drain))
        self._look(key)
        return Code.OK

    def _undrain(self, key: Key, command: Undrain) -> Code:
        drain = self._drain_of(key)
        if drain is None:
            return Code.NOT_DRAINED
        if command.drained_at not in (0, drain.position):
            return Code.STALE_GENERATION
        self._drains = [(k, d) for k, d in self._drains if k != key]
        self._look(key, command.cause)
        return Code.OK

    def _forget(self, before: int) -> int:
        """Forget what is old; the ended do not count, as replicas may differ there."""
        self._ended.forget(before, FORGOTTEN_AT_ONCE)
        count = self._gone.forget(before, FORGOTTEN_AT_ONCE)
        for key, drain in list(self._drains):
            idle_since = max(drain.position, drain.left_at)
            is_old = idle_since < before and key not in self._addresses
            if is_old and count < FORGOTTEN_AT_ONCE:
                self._drains.remove((key, drain))
                count += 1
        return count

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
