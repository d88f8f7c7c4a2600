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
from typing import TYPE_CHECKING

import msgspec

from registry.model import Instance, Registration, ServiceId, ServiceName, Status

if TYPE_CHECKING:  # The state keeps the views, so at run time it imports this module.
    from registry.catalog.state import Lease, Service, State


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
        return self._state.names()

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


def _build(service: "Service") -> ServiceView:
    instances = tuple(service.shown.values())
    healthy = instances
    if service.healthy < len(instances):
        healthy = tuple([i for i in instances if i.status is Status.HEALTHY])
    view = ServiceView(service.name, service.index, instances, healthy)
    service.view = view
    return view
