"""The records that the catalog's state is made of. Immutable, but for Service. Pure."""

import msgspec

from registry.catalog.commands import Key
from registry.catalog.gone import Gone
from registry.catalog.views import ServiceView
from registry.model import Instance, Registration, ServiceId, ServiceName, Status

POSITION_BITS = 8
"""A position is the log index shifted by this, plus the place in the entry."""


class When(msgspec.Struct, frozen=True, gc=False):
    """A command's place in the log, and the wall time that it carries."""

    position: int
    at_ms: int

    @property
    def index(self) -> int:
        """The log index of its entry."""
        return self.position >> POSITION_BITS


class Lease(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    """A registration and its last proof of life.

    Invariant: ``renewed_at`` >= the registration's generation.
    """

    registration: Registration
    renewed_at: int
    """Position of the last renewal, or of the expiry; else the generation."""
    heartbeat_ms: int
    """Wall time of the last proof of life, for people. A renewal only moves it forward;
    registering anew sets it, which is how a time from a clock ahead is got rid of."""
    size_bytes: int
    """Length of the command that registered it: its share of the catalog's bytes."""
    expired: bool = False
    """It ran out, but is kept, unhealthy, as its check may pass again."""


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
    """By registrations, reports and checks; a drain lies over it."""
    cause: str
    since_ms: int = 0
    """Wall time of the command that gave it status and cause."""


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


def key_of(registration: Registration) -> Key:
    """Return the name of the instance that a registration stands behind."""
    return (registration.name, registration.host, registration.port)


def gone_of(lease: Lease, status: Status, cause: str, when: When) -> Gone:
    """Return what is remembered of a registration that goes now."""
    return Gone(
        lease.registration,
        status,
        lease.heartbeat_ms,
        when.at_ms,
        lease.size_bytes,
        when.position,
        cause,
    )
