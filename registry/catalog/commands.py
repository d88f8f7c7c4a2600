"""What can be asked of the catalog, as it stands in the log.

Each command is one msgpack map with its ``type`` and the ``schema`` that it needs. Add
a command here, its handler in ``machine``, and a sample in ``tests/formats``. Wall
times ride along for people; nothing decides by them.
"""

import msgspec

from registry.model import Check, MetadataValue, ServiceId, ServiceName, Status

SCHEMA = 2
"""The newest schema that this version writes and understands."""

Key = tuple[ServiceName, str, int]
"""An instance's name: service, host, port."""


class Command(msgspec.Struct, frozen=True, gc=False, tag_field="type", kw_only=True):
    """The base: every command says which schema it needs.

    A command of schema 1 that uses a field of schema 2 must say 2 (``needing``):
    members of the older version would not see the field.
    """

    schema: int = 1


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
    """Schema 2 keeps it: what is revived begins with it again."""
    check: Check | None = None
    """Schema 2."""
    exclusive: bool = False
    """Schema 2: instances of other services at this host and port go, a bounded number
    at once; and what of them expired before cannot be revived."""


class Deregister(Command, frozen=True, gc=False, tag="deregister", kw_only=True):
    """End one registration."""

    service_id: ServiceId
    at_ms: int


class Renew(Command, frozen=True, gc=False, tag="renew", kw_only=True):
    """Proof of life for several registrations at once; each has its own outcome."""

    service_ids: tuple[ServiceId, ...]
    at_ms: int
    by_check: bool = False
    """Schema 2: the proof is a passing check. It revives nothing: what has expired
    comes back by its SetStatus."""


class SetStatus(Command, frozen=True, gc=False, tag="set_status", kw_only=True):
    """A transition of the instance behind a registration, or a new cause for its
    status.
    """

    service_id: ServiceId
    generation: int
    status: Status
    cause: str
    at_ms: int
    by_check: bool = False
    """Schema 2: seen by the leader's health monitor, which speaks of the newest
    registration alone. ``healthy`` is a proof of life, and brings back what expired."""
    by_service: bool = False
    """Schema 2: the service says so itself, and what its check found before must give
    way, though the status is the same."""


class Expiry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One lease that ran out, as the keeper saw it."""

    service_id: ServiceId
    generation: int
    renewed_at: int
    """The lease's ``renewed_at`` that the keeper had seen: the position of the last
    renewal, of the registration, or of the expiry."""
    after_s: float = 0.0
    """How long there was no proof of life, for the cause."""


class Expire(Command, frozen=True, gc=False, tag="expire", kw_only=True):
    """Leases that ran out, as the keeper saw them; refused one by one if newer."""

    schema: int = 2
    items: tuple[Expiry, ...]
    at_ms: int


class Suspicion(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An instance that the leader would call unhealthy, by its newest registration."""

    service_id: ServiceId
    generation: int


class Suspect(Command, frozen=True, gc=False, tag="suspect", kw_only=True):
    """The leader asks every other replica for its opinion. Changes nothing."""

    schema: int = 2
    items: tuple[Suspicion, ...]
    replica: str
    """Who asks."""
    at_ms: int


class Verdict(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one probe of one suspected instance came to."""

    service_id: ServiceId
    generation: int
    passed: bool
    cause: str


class Opinion(Command, frozen=True, gc=False, tag="opinion", kw_only=True):
    """A replica's answer to a Suspect. Changes nothing."""

    schema: int = 2
    items: tuple[Verdict, ...]
    replica: str
    """Who answers."""
    suspect: int
    """Position of the Suspect that is answered."""
    at_ms: int


class Drain(Command, frozen=True, gc=False, tag="drain", kw_only=True):
    """Take instances out of the list, keep them known. Each has its own outcome."""

    schema: int = 2
    keys: tuple[Key, ...]
    reason: str
    at_ms: int
    limit_seconds: float = 0.0
    """0: until undrained."""


class Undrain(Command, frozen=True, gc=False, tag="undrain", kw_only=True):
    """End drains. Each has its own outcome."""

    schema: int = 2
    keys: tuple[Key, ...]
    cause: str
    at_ms: int
    drained_at: int = 0
    """Position of the one Drain to end, when its time limit ran out; 0: any."""


class Forget(Command, frozen=True, gc=False, tag="forget", kw_only=True):
    """Let go of gone registrations, and of drains of absent instances, that are older
    than a position; a bounded number at once.
    """

    schema: int = 2
    before: int
    at_ms: int


AnyCommand = (
    Register
    | Deregister
    | Renew
    | SetStatus
    | Expire
    | Suspect
    | Opinion
    | Drain
    | Undrain
    | Forget
)


def needing(command: AnyCommand) -> int:
    """Return the schema that a command needs, by the fields that it uses."""
    match command:
        case Register():
            is_plain = command.initial_status is Status.HEALTHY
            is_plain = is_plain and command.check is None and not command.exclusive
            return 1 if is_plain else 2
        case Renew():
            return 2 if command.by_check else 1
        case SetStatus():
            return 2 if command.by_check or command.by_service else 1
        case _:
            return command.schema
