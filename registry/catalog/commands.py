"""What can be asked of the catalog, as it stands in the log.

Each command is one msgpack map with its ``type`` and the ``schema`` that it needs. Add
a command here, its handler in ``machine``, and a sample in ``tests/formats``. Wall
times ride along for people; nothing decides by them.
"""

import msgspec

from registry.model import MetadataValue, ServiceId, ServiceName, Status

SCHEMA = 1
"""The newest schema that this version writes and understands."""


class Command(msgspec.Struct, frozen=True, gc=False, tag_field="type", kw_only=True):
    """The base: every command says which schema it needs."""

    schema: int = SCHEMA


class Register(Command, frozen=True, gc=False, tag="register", kw_only=True):
    """Make or replace the registration ``service_id``.

    The id is chosen before the proposal (the log has no randomness). A known id keeps
    its place with a new generation; under another name it is refused.
    """

    service_id: ServiceId
    name: ServiceName
    host: str
    port: int
    at_ms: int
    ttl_seconds: float
    health_endpoint: str = ""
    metadata: dict[str, MetadataValue] = {}
    tags: tuple[str, ...] = ()
    zone: str = ""
    weight: int = 1
    version: str = ""
    initial_status: Status = Status.HEALTHY


class Deregister(Command, frozen=True, gc=False, tag="deregister", kw_only=True):
    """End one registration."""

    service_id: ServiceId
    at_ms: int


class Renew(Command, frozen=True, gc=False, tag="renew", kw_only=True):
    """Proof of life for several registrations at once; each has its own outcome."""

    service_ids: tuple[ServiceId, ...]
    at_ms: int


class SetStatus(Command, frozen=True, gc=False, tag="set_status", kw_only=True):
    """The leader's health monitor saw a transition of the instance behind a
    registration.
    """

    service_id: ServiceId
    generation: int
    status: Status
    cause: str
    at_ms: int


class Expiry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One lease that ran out, as the keeper saw it."""

    service_id: ServiceId
    generation: int
    renewed_at: int
    """Position of the last renewal that the keeper had seen (the generation if none).
    """


class Expire(Command, frozen=True, gc=False, tag="expire", kw_only=True):
    """Leases that ran out, as the keeper saw them; refused one by one if newer."""

    items: tuple[Expiry, ...]
    at_ms: int


AnyCommand = Register | Deregister | Renew | SetStatus | Expire
