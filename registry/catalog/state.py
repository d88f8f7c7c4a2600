"""The catalog's state, and the few ways in which it changes. Pure.

Four maps decide, and are what a snapshot holds; the rest is derived from them (I8):

    leases    service_id         -> Lease    a registration, and when it was renewed
    slots     (name, host, port) -> Slot     an instance: who stands behind it, status
    services  name               -> Service  index of its last change
    gone      service_id         -> Gone     expired registrations, to be revived

The values are immutable and replaced whole, so a snapshot is a shallow copy of each
map: milliseconds for 100,000 registrations. Rejected: mutable lease records, which a
renewal changes for less but a snapshot must copy one by one on the event loop. (A
Service does change: it is where what is derived for readers hangs.)

Nothing refers back (a slot holds ids, not leases), so there are no cycles and the
garbage collector need not know of any of it: ``gc=False`` throughout.
"""

from bisect import bisect_left, insort

import msgspec

from registry.catalog.bounds import Limits
from registry.catalog.gone import GoneList
from registry.catalog.views import ServiceView
from registry.model import Instance, Registration, ServiceId, ServiceName, Status

Key = tuple[ServiceName, str, int]
"""An instance's name: service, host, port."""

POSITION_BITS = 8
"""A position is the log index shifted by this, plus the place in the entry."""


class Lease(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    """A registration and its last proof of life.

    Invariant: ``renewed_at`` >= the registration's generation.
    """

    registration: Registration
    renewed_at: int
    """Position of the last renewal; the generation if there was none."""
    heartbeat_ms: int
    """Wall time of the last proof of life, for people. A renewal only moves it forward;
    registering anew sets it, which is how a time from a clock ahead is got rid of."""
    size_bytes: int
    """Length of the command that registered it: its share of the catalog's bytes."""


class Slot(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    """What decides about one instance.

    Invariant: ``ids`` is not empty, holds the registrations with this address and
    no others, oldest generation first.
    """

    key: Key
    ids: tuple[ServiceId, ...]
    status: Status
    cause: str


class Service(msgspec.Struct, gc=False):
    """A service that has an instance.

    Invariant: ``view`` is None or shows exactly ``index`` and ``shown``.
    """

    name: ServiceName
    index: int
    shown: dict[Key, Instance]
    healthy: int = 0
    """How many of ``shown`` are healthy."""
    view: ServiceView | None = None


class State:
    """Every registration, and what is derived from them.

    Invariant: between two commands, everything that ``invariants.check`` checks.
    """

    __slots__ = (
        "_names",
        "_sorted_names",
        "bytes",
        "gone",
        "healthy",
        "index",
        "leases",
        "limits",
        "removal_index",
        "services",
        "slots",
    )

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.index = 0
        """The log index up to which everything is applied."""
        self.removal_index = 0
        """The log index of the last removal of a service."""
        self.leases: dict[ServiceId, Lease] = {}
        self.slots: dict[Key, Slot] = {}
        self.services: dict[ServiceName, Service] = {}
        self.gone = GoneList(limits)
        self.healthy = 0
        self.bytes = 0
        """Of all leases together, by their ``size_bytes``."""
        self._sorted_names: list[ServiceName] = []
        self._names: tuple[ServiceName, ...] | None = ()

    def names(self) -> tuple[ServiceName, ...]:
        """Return the sorted names of all services; copied once after each change."""
        if self._names is None:
            self._names = tuple(self._sorted_names)
        return self._names

    def instance(self, service_id: ServiceId) -> Instance | None:
        """Return what is shown of the instance behind a registration."""
        lease = self.leases.get(service_id)
        if lease is None:
            return None
        key = key_of(lease.registration)
        return self.services[key[0]].shown[key]

    def place(self, lease: Lease, status: Status, cause: str, index: int) -> None:
        """Put a registration behind its instance as the newest, which gets this status.

        A registration of the same id, of the same service, is replaced, and leaves the
        instance where it stood if that is another. Beyond the limit, the oldest
        registration of the instance goes, as if it had been deregistered.
        """
        registration = lease.registration
        service_id = registration.service_id
        key = key_of(registration)
        former = self.leases.get(service_id)
        former_key = None if former is None else key_of(former.registration)
        slot = self.slots.get(key)
        ids: tuple[ServiceId, ...] = () if slot is None else slot.ids
        if former_key == key:
            ids = tuple([other for other in ids if other != service_id])
        elif len(ids) >= self.limits.registrations_per_instance:
            self.bytes -= self.leases.pop(ids[0]).size_bytes
            ids = ids[1:]
        self.leases[service_id] = lease
        self.bytes += lease.size_bytes - (0 if former is None else former.size_bytes)
        # Before it leaves its former instance: the service must not vanish in between.
        self._show(Slot(key, (*ids, service_id), status, cause), index)
        if former_key is not None and former_key != key:
            self._leave(service_id, former_key, index)

    def remove(self, service_id: ServiceId, index: int) -> Lease:
        """Take a registration out; its instance disappears with the last one."""
        lease = self.leases.pop(service_id)
        self.bytes -= lease.size_bytes
        self._leave(service_id, key_of(lease.registration), index)
        return lease

    def renew(self, lease: Lease, position: int, at_ms: int) -> None:
        """Note a proof of life. Neither the service's index nor its status changes."""
        registration = lease.registration
        heartbeat_ms = max(at_ms, lease.heartbeat_ms)
        self.leases[registration.service_id] = Lease(
            registration, position, heartbeat_ms, lease.size_bytes
        )
        key = key_of(registration)
        service = self.services[key[0]]
        shown = service.shown[key]
        if heartbeat_ms > shown.last_heartbeat_ms:
            service.shown[key] = Instance(
                shown.registration,
                shown.status,
                shown.cause,
                heartbeat_ms,
                shown.registrations,
            )
            service.view = None

    def set_status(self, key: Key, status: Status, cause: str, index: int) -> None:
        """Give an instance another status."""
        self._show(Slot(key, self.slots[key].ids, status, cause), index)

    def open_service(self, name: ServiceName, index: int) -> Service:
        """Add a service, which must get an instance at once."""
        service = Service(name, index, {})
        self.services[name] = service
        names = self._sorted_names
        if not names or names[-1] < name:  # As a restore adds them.
            names.append(name)
        else:
            insort(names, name)
        self._names = None
        return service

    def put_slot(self, slot: Slot, service: Service) -> None:
        """Enter an instance whose registrations are known, and derive what is shown."""
        key = slot.key
        leases = self.leases
        newest = leases[slot.ids[-1]]
        heartbeat_ms = newest.heartbeat_ms
        if len(slot.ids) > 1:
            heartbeat_ms = max([leases[other].heartbeat_ms for other in slot.ids])
        former = self.slots.get(key)
        was_healthy = former is not None and former.status is Status.HEALTHY
        change = (slot.status is Status.HEALTHY) - was_healthy
        self.healthy += change
        service.healthy += change
        self.slots[key] = slot
        service.shown[key] = Instance(
            newest.registration, slot.status, slot.cause, heartbeat_ms, len(slot.ids)
        )
        service.view = None

    def discard(self, count: int) -> bool:
        """Let go of about ``count`` entries of each map; True once nothing is left.

        For a state that was replaced: freeing 100,000 registrations at once would
        hold up the event loop for a tenth of a second. Nothing holds afterwards.
        """
        for _ in range(count):
            if self.leases:
                self.leases.popitem()
            if self.slots:
                key, _slot = self.slots.popitem()
                self.services[key[0]].shown.pop(key)
                self.services[key[0]].view = None
            elif self.services:
                self.services.popitem()
            if self.gone.entries:
                self.gone.entries.popitem()
        return not (self.leases or self.services or self.gone.entries)

    def _show(self, slot: Slot, index: int) -> None:
        name = slot.key[0]
        service = self.services.get(name)
        if service is None:
            service = self.open_service(name, index)
        service.index = index
        self.put_slot(slot, service)

    def _leave(self, service_id: ServiceId, key: Key, index: int) -> None:
        slot = self.slots[key]
        ids = tuple([other for other in slot.ids if other != service_id])
        if ids:
            self._show(Slot(key, ids, slot.status, slot.cause), index)
            return
        del self.slots[key]
        service = self.services[key[0]]
        if slot.status is Status.HEALTHY:
            self.healthy -= 1
            service.healthy -= 1
        del service.shown[key]
        service.view = None
        service.index = index
        if not service.shown:
            self._close_service(service, index)

    def _close_service(self, service: Service, index: int) -> None:
        del self.services[service.name]
        del self._sorted_names[bisect_left(self._sorted_names, service.name)]
        self._names = None
        self.removal_index = index


def key_of(registration: Registration) -> Key:
    """Return the name of the instance that a registration stands behind."""
    return (registration.name, registration.host, registration.port)
