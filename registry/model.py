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
