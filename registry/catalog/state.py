"""The catalog's state, and the few ways in which it changes. Pure.

These maps decide, and are what a snapshot holds; the rest is derived from them (I8):

    leases    service_id         -> Lease    a registration, and when it was renewed
    slots     (name, host, port) -> Slot     an instance: who stands behind it, status
    services  name               -> Service  index of its last change
    gone      service_id         -> Gone     expired registrations, to be revived
    ended     service_id         -> Gone     registrations that ended otherwise
    drains    (name, host, port) -> Drain    instances taken out, there or not
    history   the last transitions of each service

The values are immutable and replaced whole, so a snapshot is a shallow copy of each
map: milliseconds for 100,000 registrations. Rejected: mutable lease records, which a
renewal changes for less but a snapshot must copy one by one on the event loop. (A
Service does change: it is where what is derived for readers hangs.)

Nothing refers back (a slot holds ids, not leases), so there are no cycles and the
garbage collector need not know of any of it: ``gc=False`` throughout.
"""

from collections import OrderedDict

from msgspec.structs import replace

from registry.catalog.addresses import Addresses
from registry.catalog.bounds import Limits
from registry.catalog.causes import ALL_EXPIRED, DISPLACED, ELSEWHERE, drained
from registry.catalog.commands import Key
from registry.catalog.gone import GoneList
from registry.catalog.history import History
from registry.catalog.names import SortedNames
from registry.catalog.records import Lease, Service, Slot, When, gone_of, key_of
from registry.model import (
    Drain,
    Instance,
    Registration,
    ServiceId,
    ServiceName,
    Status,
    Transition,
)


class State:
    """Every registration, and what is derived from them.

    Invariant: between two commands, everything that ``invariants.check`` checks.
    """

    __slots__ = (
        "addresses",
        "bytes",
        "changed",
        "drains",
        "ended",
        "gone",
        "healthy",
        "history",
        "index",
        "leases",
        "limits",
        "names",
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
        self.gone = GoneList(most=limits.gone, most_bytes=limits.gone_bytes)
        self.ended = GoneList(most=limits.ended, most_bytes=limits.ended_bytes)
        self.drains: OrderedDict[Key, Drain] = OrderedDict()
        self.history = History(
            most=limits.history, most_of_service=limits.history_of_service
        )
        self.addresses = Addresses()
        self.healthy = 0
        self.bytes = 0
        """Of all leases together, by their ``size_bytes``."""
        self.changed: list[Key] = []
        """Instances that are not as the machine's listeners were last told."""
        self.names = SortedNames()
        """Of all services."""

    def instance(self, service_id: ServiceId) -> Instance | None:
        """Return what is shown of the instance behind a registration."""
        lease = self.leases.get(service_id)
        if lease is None:
            return None
        key = key_of(lease.registration)
        return self.services[key[0]].shown[key]

    def place(
        self, key: Key, lease: Lease, status: Status, cause: str, when: When
    ) -> None:
        """Put a registration behind its instance as the newest, which gets this status.

        A registration of the same id, of the same service, is replaced, and leaves the
        instance where it stood if that is another. Beyond the limit, the oldest
        registration of the instance goes, as if it had been deregistered.
        """
        service_id = lease.registration.service_id
        former = self.leases.get(service_id)
        slot = self.slots.get(key)
        ids: tuple[ServiceId, ...] = (service_id,)
        since_ms = when.at_ms
        if slot is not None:
            ids = (*self._others(slot, service_id, when), service_id)
            if slot.status is status and slot.cause == cause:
                since_ms = slot.since_ms
        self.leases[service_id] = lease
        self.bytes += lease.size_bytes
        # Before it leaves its former instance: the service must not vanish in between.
        self._show(Slot(key, ids, status, cause, since_ms), when)
        if former is not None:
            self.bytes -= former.size_bytes
            if key_of(former.registration) != key:
                self._leave(former.registration, when, ELSEWHERE)

    def _others(
        self, slot: Slot, service_id: ServiceId, when: When
    ) -> tuple[ServiceId, ...]:
        """Return who stands behind an instance beside this one; makes room for it."""
        ids = slot.ids
        if service_id in ids:
            return tuple([other for other in ids if other != service_id])
        if len(ids) < self.limits.registrations_per_instance:
            return ids
        oldest = self.leases.pop(ids[0])
        self.bytes -= oldest.size_bytes
        self.ended.remember(gone_of(oldest, slot.status, DISPLACED, when))
        return ids[1:]

    def remove(self, service_id: ServiceId, when: When, cause: str) -> Lease:
        """Take a registration out; its instance disappears with the last one."""
        lease = self.leases.pop(service_id)
        self.bytes -= lease.size_bytes
        self._leave(lease.registration, when, cause)
        return lease

    def renew(self, lease: Lease, position: int, at_ms: int) -> None:
        """Note a proof of life. Neither the service's index nor its status changes."""
        registration, heartbeat_ms = lease.registration, lease.heartbeat_ms
        if at_ms > heartbeat_ms:
            heartbeat_ms = at_ms
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
                shown.since_ms,
            )
            service.view = None

    def set_status(self, key: Key, status: Status, cause: str, when: When) -> None:
        """Give an instance another status, or another cause for the one it has."""
        slot = Slot(key, self.slots[key].ids, status, cause, when.at_ms)
        self._show(slot, when)

    def refresh(self, key: Key, when: When, why: str = "") -> None:
        """Show an instance anew whose drain came or went, if it is there.

        ``why`` stands in the history, if it is not the cause that shows now.
        """
        slot = self.slots.get(key)
        if slot is None:
            self.changed.append(key)
        else:
            self._show(slot, when, why)

    def open_service(self, name: ServiceName, index: int) -> Service:
        """Add a service, which must get an instance at once."""
        service = Service(name, index, {})
        self.services[name] = service
        self.names.add(name)
        return service

    def put_slot(
        self, slot: Slot, service: Service
    ) -> tuple[Instance | None, Instance]:
        """Enter an instance whose registrations are known, and derive what is shown.

        Returns what was shown before, and what is now.
        """
        key = slot.key
        leases = self.leases
        newest = leases[slot.ids[-1]]
        heartbeat_ms = newest.heartbeat_ms
        if len(slot.ids) > 1:
            heartbeat_ms = max([leases[other].heartbeat_ms for other in slot.ids])
        former = service.shown.get(key)
        if former is None:
            self.addresses.add(key)
        status, cause, since_ms = slot.status, slot.cause, slot.since_ms
        drain = self.drains.get(key) if self.drains else None
        if drain is not None:
            status, cause, since_ms = Status.DRAINING, drained(drain), drain.at_ms
            if drain.left_at:  # It is back.
                self.drains[key] = replace(drain, left_at=0)
        was_healthy = former is not None and former.status is Status.HEALTHY
        change = (status is Status.HEALTHY) - was_healthy
        self.healthy += change
        service.healthy += change
        self.slots[key] = slot
        shown = service.shown[key] = Instance(
            newest.registration, status, cause, heartbeat_ms, len(slot.ids), since_ms
        )
        service.view = None
        return former, shown

    def _show(self, slot: Slot, when: When, why: str = "") -> None:
        key = slot.key
        name, host, port = key
        index = when.index
        service = self.services.get(name)
        if service is None:
            service = self.open_service(name, index)
        service.index = index
        before, after = self.put_slot(slot, service)
        self.changed.append(key)
        was, cause = "", why or after.cause
        if before is not None:
            if before.status is after.status and before.cause == after.cause:
                return  # No reader sees a change.
            was = before.status._value_
        self.history.add(
            name,
            Transition(
                when.position,
                when.at_ms,
                after.registration.service_id,
                host,
                port,
                was,
                after.status._value_,
                cause,
            ),
        )

    def _leave(self, registration: Registration, when: When, cause: str) -> None:
        key = key_of(registration)
        slot = self.slots[key]
        service_id = registration.service_id
        ids = tuple([other for other in slot.ids if other != service_id])
        if ids:
            status, cause, since_ms = slot.status, slot.cause, slot.since_ms
            are_expired = [self.leases[other].expired for other in ids]
            if all(are_expired) and status is not Status.UNHEALTHY:
                # Who kept it up is gone; a check that passes will say so.
                status, cause = Status.UNHEALTHY, ALL_EXPIRED
                since_ms = when.at_ms
            self._show(Slot(key, ids, status, cause, since_ms), when)
            return
        del self.slots[key]
        self.addresses.remove(key)
        if key in self.drains:
            drain = self.drains[key]
            self.drains[key] = replace(drain, left_at=when.position)
        service = self.services[key[0]]
        shown = service.shown.pop(key)
        if shown.status is Status.HEALTHY:
            self.healthy -= 1
            service.healthy -= 1
        service.view = None
        service.index = when.index
        name, host, port = key
        before = shown.status._value_
        self.history.add(
            name,
            Transition(
                when.position, when.at_ms, service_id, host, port, before, "", cause
            ),
        )
        if not service.shown:
            self._close_service(service, when.index)
        self.changed.append(key)

    def _close_service(self, service: Service, index: int) -> None:
        del self.services[service.name]
        self.names.remove(service.name)
        self.removal_index = index
