"""Drives a CatalogMachine as the log would: one command to an entry, in order."""

from collections.abc import Iterable

import msgspec

from registry.catalog import outcomes
from registry.catalog.bounds import LIMITS, Limits
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Drain,
    Expire,
    Expiry,
    Forget,
    Key,
    Register,
    Renew,
    SetStatus,
    Undrain,
    needing,
)
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome
from registry.model import Check, Instance, ServiceId, ServiceName, Status

T0_MS = 1_700_000_000_000
CHECK = Check(path="/health")
KEY: Key = (ServiceName("web"), "web-1", 8500)
"""The instance that ``register`` makes."""

_encoder = msgspec.msgpack.Encoder()


class CatalogDriver:
    """A machine and a log that only grows; ``index`` is that of the last entry."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.machine = CatalogMachine(limits)
        self.catalog = self.machine.catalog
        self.index = 0

    @property
    def position(self) -> int:
        """The position of the last command."""
        return self.index << 8

    def apply(self, command: AnyCommand) -> Outcome:
        """Commit one command in an entry of its own."""
        self.index += 1
        encoded = _encoder.encode(command)
        outcome = outcomes.decode(self.machine.apply(self.position, encoded))
        self.machine.applied(self.index)
        return outcome

    def register(
        self,
        service_id: str,
        name: str = "web",
        host: str = "web-1",
        port: int = 8500,
        *,
        at_ms: int = T0_MS,
        initial_status: Status = Status.HEALTHY,
        tags: tuple[str, ...] = (),
        check: Check | None = None,
        exclusive: bool = False,
    ) -> Outcome:
        """Commit a Register."""
        command = Register(
            service_id=ServiceId(service_id),
            name=ServiceName(name),
            host=host,
            port=port,
            at_ms=at_ms,
            ttl_seconds=300.0,
            tags=tags,
            initial_status=initial_status,
            check=check,
            exclusive=exclusive,
        )
        return self.apply(msgspec.structs.replace(command, schema=needing(command)))

    def deregister(self, service_id: str, *, at_ms: int = T0_MS) -> Code:
        """Commit a Deregister."""
        command = Deregister(service_id=ServiceId(service_id), at_ms=at_ms)
        return self.apply(command).code

    def renew(self, *service_ids: str, at_ms: int = T0_MS) -> tuple[Code, ...]:
        """Commit a Renew; return the code of each item."""
        ids = tuple(ServiceId(i) for i in service_ids)
        return self.apply(Renew(service_ids=ids, at_ms=at_ms)).items

    def expire(
        self, *service_ids: str, at_ms: int = T0_MS, after_s: float = 300.0
    ) -> tuple[Code, ...]:
        """Commit an Expire of what these leases are just now; return each code."""
        items = self.expiries(service_ids, after_s=after_s)
        return self.apply(Expire(items=items, at_ms=at_ms)).items

    def set_status(
        self,
        service_id: str,
        status: Status,
        cause: str = "seen so",
        *,
        by_service: bool = False,
    ) -> Code:
        """Commit a SetStatus for the present generation."""
        command = SetStatus(
            schema=1 + by_service,
            service_id=ServiceId(service_id),
            generation=self.generation(service_id),
            status=status,
            cause=cause,
            at_ms=T0_MS,
            by_service=by_service,
        )
        return self.apply(command).code

    def checked(
        self, service_id: str, status: Status, cause: str, *, at_ms: int = T0_MS
    ) -> Code:
        """Commit a SetStatus of the leader's monitor for the present generation."""
        command = SetStatus(
            schema=2,
            service_id=ServiceId(service_id),
            generation=self.generation(service_id),
            status=status,
            cause=cause,
            at_ms=at_ms,
            by_check=True,
        )
        return self.apply(command).code

    def drain(
        self, key: Key = KEY, *, reason: str = "upgrade", at_ms: int = T0_MS
    ) -> Code:
        """Commit a Drain of one instance."""
        command = Drain(keys=(key,), reason=reason, at_ms=at_ms)
        return self.apply(command).items[0]

    def undrain(
        self, key: Key = KEY, *, cause: str = "undrained", drained_at: int = 0
    ) -> Code:
        """Commit an Undrain of one instance."""
        command = Undrain(keys=(key,), cause=cause, at_ms=T0_MS, drained_at=drained_at)
        return self.apply(command).items[0]

    def forget(self, *, before: int) -> int:
        """Commit a Forget; return how many it let go."""
        return self.apply(Forget(before=before, at_ms=T0_MS)).generation

    def generation(self, service_id: str) -> int:
        """Return the present generation of a registration; 0 if there is none."""
        registration = self.catalog.registration(service_id)
        return 0 if registration is None else registration.generation

    def expiries(
        self, service_ids: Iterable[str], *, after_s: float = 300.0
    ) -> tuple[Expiry, ...]:
        """Return what a lease keeper that has seen everything would say."""
        items = []
        for service_id in service_ids:
            lease = self.catalog.lease(service_id)
            renewed_at = 0 if lease is None else lease.renewed_at
            generation = self.generation(service_id)
            expiry = Expiry(ServiceId(service_id), generation, renewed_at, after_s)
            items.append(expiry)
        return tuple(items)

    def instances(self, name: str = "web") -> tuple[Instance, ...]:
        """Return all instances of a service."""
        view = self.catalog.service(name)
        return () if view is None else view.instances

    def instance(self, service_id: str) -> Instance:
        """Return the instance behind a registration that there must be."""
        instance = self.catalog.instance(service_id)
        assert instance is not None, f"{service_id} is not registered"
        return instance

    def snapshot(self) -> list[bytes]:
        """Return the state as bytes: equal for equal states."""
        return list(self.machine.snapshot())
