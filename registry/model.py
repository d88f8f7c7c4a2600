"""The vocabulary as types: ids, statuses, registrations and instances. Pure values.

A **registration** is one claim (one ``service_id``) on an **instance**, the address
(host, port) of a service that is listed once however many registrations stand behind
it.
"""

from enum import StrEnum
from typing import NewType

import msgspec

ServiceId = NewType("ServiceId", str)
ServiceName = NewType("ServiceName", str)

MetadataValue = str | int | float | bool


class Status(StrEnum):
    """Where an instance stands; only ``healthy`` ones are listed by default."""

    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


class Check(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How an instance is probed. What is 0 or empty follows the registry's settings.

    ``kind`` is a row of the table of probes; the catalog does not look at it.
    """

    kind: str = "http"
    path: str = ""
    """http: a path, or a URL with the registered host and port; grpc: a service."""
    interval_seconds: float = 0.0
    timeout_seconds: float = 0.0
    failures: int = 0
    successes: int = 0
    expected_status: int = 0


class Registration(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One claim on an instance, as it was registered.

    ``generation`` is the position of the command that made it: messages about another
    generation are stale (I5). ``ttl_seconds`` 0 means permanent.
    """

    service_id: ServiceId
    name: ServiceName
    host: str
    port: int
    generation: int
    registered_at_ms: int
    ttl_seconds: float
    health_endpoint: str = ""
    metadata: dict[str, MetadataValue] = {}
    tags: tuple[str, ...] = ()
    zone: str = ""
    weight: int = 1
    version: str = ""
    check: Check | None = None
    initial_status: Status = Status.HEALTHY
    exclusive: bool = False
    """Whether it took its address from the other services that claimed it."""

    @property
    def probed(self) -> Check | None:
        """The check that follows from ``check`` and ``health_endpoint``, if any."""
        if self.check is not None:
            return self.check
        if self.health_endpoint:
            return Check(path=self.health_endpoint)
        return None


class Drain(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    """An instance taken out of the list on purpose; it outlives its registrations."""

    reason: str
    at_ms: int
    position: int
    """Position of the Drain: a message about another one is stale."""
    limit_seconds: float = 0.0
    """How long it holds, by the leader's monotonic clock; 0: until undrained."""
    left_at: int = 0
    """Position at which its instance went; 0: it is there, or was not since."""

    @property
    def idle_since(self) -> int:
        """Position since which it lies over nothing, while no instance is there."""
        return max(self.position, self.left_at)


class Transition(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    """One change of one instance, and why: a line of a service's history."""

    position: int
    at_ms: int
    service_id: ServiceId
    host: str
    port: int
    before: str
    """A Status, or empty: it was not there."""
    after: str
    """A Status, or empty: it is no longer there. Equal to ``before`` if the cause
    alone changed."""
    cause: str


class Instance(msgspec.Struct, frozen=True, gc=False):
    """What a reader sees of one instance: its newest registration, and its status."""

    registration: Registration
    status: Status
    cause: str
    """Why it has this status, for people and `why`; never empty."""
    last_heartbeat_ms: int
    """Wall time of the newest proof of life of any of its registrations; for people."""
    registrations: int
    """How many registrations stand behind it (1 to 64)."""
    since_ms: int = 0
    """Wall time of the transition that gave it this status and cause; for people."""
