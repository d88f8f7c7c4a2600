"""What readers see: one immutable view per service, and O(1) lookups beside it.

A view is built at the first read after a change and then handed out as it is, so
a reader that finds the same object knows that nothing changed. Building one copies the
service's ``shown`` instances into a tuple; the instances themselves are ready made (the
state replaces an instance's entry when it changes), so it costs microseconds per
hundred instances.

``last_heartbeat_ms`` is always the newest applied: a renewal replaces the instance's
entry and drops the view, without moving the service's index. A caller that renders
views at some expense may keep a rendering while the *index* is the same and, for the
sake of ``last_heartbeat_ms``, its own clock has not moved by a second. Rejected: to let
the views lag by log time. Nothing here has a clock, and where renewals are rare the lag
would last until the next one, not a second.

All of it belongs to the event loop, which must not be given back between the first
``apply`` of an entry and its ``applied``: views show what is applied, at once.
"""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from registry.catalog.addresses import canonical_host
from registry.catalog.commands import Key
from registry.catalog.gone import Gone
from registry.model import (
    Drain,
    Instance,
    Registration,
    ServiceId,
    ServiceName,
    Status,
    Transition,
)

if TYPE_CHECKING:  # The state keeps the views, so at run time it imports this module.
    from registry.catalog.records import Lease, Service, Slot
    from registry.catalog.state import State


MOST_AT_AN_ADDRESS = 1_000
"""Of the services at one address, when they are named."""
MOST_LOOKED_AT = 10_000
"""Of each list of the gone, when one is looked for by address: some milliseconds."""


class ServiceView(msgspec.Struct, frozen=True, gc=False):
    """One service at one moment; never without instances."""

    name: ServiceName
    index: int
    """Log index of its last change; renewals do not move it."""
    instances: tuple[Instance, ...]
    """All of them, in the order in which they appeared."""
    healthy: tuple[Instance, ...]
    """Those with status healthy, in the same order."""


class Catalog:
    """The read side of the catalog. Survives ``restore``: readers may keep it."""

    def __init__(self, state: "State") -> None:
        self._state = state

    def adopt(self, state: "State") -> None:
        """Show ``state`` from now on: the last step of a restore."""
        self._state = state

    @property
    def index(self) -> int:
        """The log index up to which everything is applied."""
        return self._state.index

    @property
    def instances(self) -> int:
        """How many instances there are, whatever their status."""
        return len(self._state.slots)

    @property
    def healthy(self) -> int:
        """How many instances are healthy."""
        return self._state.healthy

    @property
    def services(self) -> int:
        """How many services have an instance."""
        return len(self._state.services)

    @property
    def size_bytes(self) -> int:
        """How long the commands were that made the registrations, together."""
        return self._state.bytes

    @property
    def registrations(self) -> int:
        """How many registrations stand behind the instances."""
        return len(self._state.leases)

    def service(self, name: str) -> ServiceView | None:
        """Return the service as it is now; None if it has no instances."""
        service = self._state.services.get(ServiceName(name))
        if service is None:
            return None
        return service.view or _build(service)

    def counts(self, name: str) -> tuple[int, int]:
        """Return how many instances a service has, and how many of them are healthy."""
        service = self._state.services.get(ServiceName(name))
        return (0, 0) if service is None else (len(service.shown), service.healthy)

    def service_index(self, name: str) -> int:
        """Return the index of the service's last change, without building its view."""
        service = self._state.services.get(ServiceName(name))
        return self._state.removal_index if service is None else service.index

    def removal_index(self, name: str) -> int:
        """Return the index to show for a ``name`` without instances; 0 if none left.

        It is that of the last removal of any service: no older than the removal of this
        one, so what a reader sees of a name never goes back, and nothing need
        be remembered of names that are no more.
        """
        return self._state.removal_index

    def names(self) -> Sequence[ServiceName]:
        """Return the names of all services, sorted; an immutable sequence."""
        return self._state.names.all()

    def registration(self, service_id: str) -> Registration | None:
        """Return the registration with this id."""
        lease = self._state.leases.get(ServiceId(service_id))
        return None if lease is None else lease.registration

    def lease(self, service_id: str) -> "Lease | None":
        """Return the lease of the registration with this id."""
        return self._state.leases.get(ServiceId(service_id))

    def instance(self, service_id: str) -> Instance | None:
        """Return the instance that this registration stands behind."""
        return self._state.instance(ServiceId(service_id))

    def shown(self, key: Key) -> Instance | None:
        """Return the instance of this name."""
        service = self._state.services.get(key[0])
        return None if service is None else service.shown.get(key)

    def slot(self, key: Key) -> "Slot | None":
        """Return what decides about an instance; its status is the underlying one."""
        return self._state.slots.get(key)

    def keys(self) -> list[Key]:
        """Return the names of all instances; a copy."""
        return list(self._state.slots)

    def drain(self, key: Key) -> Drain | None:
        """Return the drain of an address, whether an instance is there or not."""
        return self._state.drains.get(key)

    def drains(self) -> list[tuple[Key, Drain]]:
        """Return all drains, oldest first; a copy."""
        return list(self._state.drains.items())

    def gone(self, service_id: str) -> Gone | None:
        """Return the registration that had this id, if it is remembered."""
        wanted = ServiceId(service_id)
        return self._state.gone.get(wanted) or self._state.ended.get(wanted)

    def oldest_gone(self) -> int:
        """Return the position of the oldest that Forget could let go; 0: nothing."""
        state = self._state
        idle = (d.idle_since for k, d in state.drains.items() if k not in state.slots)
        oldest = [state.gone.oldest(), state.ended.oldest(), min(idle, default=0)]
        return min(filter(None, oldest), default=0)

    def history(self, name: str) -> tuple[Transition, ...]:
        """Return what happened to a service's instances lately, oldest first."""
        return self._state.history.of(ServiceName(name))

    def historic_names(self) -> tuple[ServiceName, ...]:
        """Return the names of all services that have a history."""
        return self._state.history.names()

    def names_gone_from(self, host: str, port: int) -> tuple[ServiceName, ...]:
        """Return the services of registrations lately gone from an address."""
        names: dict[ServiceName, None] = {}
        wanted = canonical_host(host)
        for gone_list in (self._state.gone, self._state.ended):
            newest = islice(reversed(gone_list.entries.values()), MOST_LOOKED_AT)
            names |= {
                r.name: None
                for r in (gone.registration for gone in newest)
                if r.port == port and canonical_host(r.host) == wanted
            }
        return tuple(names)

    def services_at(self, host: str, port: int) -> tuple[ServiceName, ...]:
        """Return the services that have an instance at an address; very many cut."""
        keys = islice(self._state.addresses.at(host, port), MOST_AT_AN_ADDRESS)
        return tuple(dict.fromkeys(key[0] for key in keys))

    def keys_at(self, host: str, port: int) -> tuple[Key, ...]:
        """Return the names of the instances at an address."""
        return tuple(self._state.addresses.at(host, port))

    @property
    def shared_addresses(self) -> int:
        """How many addresses more than one instance claims."""
        return self._state.addresses.shared

    @property
    def drained(self) -> int:
        """How many drains there are."""
        return len(self._state.drains)

    @property
    def gone_count(self) -> int:
        """How many expired registrations can be revived."""
        return len(self._state.gone)

    @property
    def ended_count(self) -> int:
        """How many registrations that ended otherwise are remembered."""
        return len(self._state.ended)


def _build(service: "Service") -> ServiceView:
    instances = tuple(service.shown.values())
    healthy = instances
    if service.healthy < len(instances):
        healthy = tuple([i for i in instances if i.status is Status.HEALTHY])
    view = ServiceView(service.name, service.index, instances, healthy)
    service.view = view
    return view
