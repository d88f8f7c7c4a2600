"""What repeats between registrations is held once. Saves two thirds of the memory.

A decoder makes new objects at each occurrence; at 100,000 registrations of a few
hundred services that is most of the catalog. Equal strings being the same object also
makes the look-ups by instance faster.

Names and tags, which nearly all repeat, are interned. What may differ with each
registration (its host, its metadata) is compared with a bounded number of the last
ones: the instances of a service come about together, and a table of all would cost
more than it saves where nothing repeats. What is shared is equal to the last bit, its
types and the order of its keys in it, so nothing can be told by it (I1).
"""

import sys
from functools import lru_cache

import msgspec
from msgspec.structs import force_setattr

from registry.catalog.records import Lease
from registry.model import Check, MetadataValue, Registration, Transition

Metadata = dict[str, MetadataValue]

REMEMBERED = 4_096
"""Of each kind; with the bound below about ten megabytes of each at the very most."""
MAX_SHARED_BYTES = 512
"""Of one registration's metadata, tags or check, encoded: larger ones repeat less."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, MetadataValue]).decode
_decode_check = msgspec.msgpack.Decoder(Check).decode


@lru_cache(REMEMBERED)
def shared_host(host: str) -> str:
    """Return an equal string, the same one as before if it is remembered."""
    return host


@lru_cache(REMEMBERED)
def shared_seconds(seconds: float) -> float:
    """Return the same number; not for zero, of which there are two."""
    return seconds


def shared_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return equal tags, each of them interned."""
    if len(_encode(tags)) <= MAX_SHARED_BYTES:
        return _tags(tags)
    return tuple(map(sys.intern, tags))


@lru_cache(REMEMBERED)
def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(sys.intern, tags))


def shared_check(check: Check) -> Check:
    """Return a check that is encoded alike, which equal ones need not be: a default
    that was sent is not left out.
    """
    encoded = _encode(check)
    return _check(encoded) if len(encoded) <= MAX_SHARED_BYTES else check


@lru_cache(REMEMBERED)
def _check(encoded: bytes) -> Check:
    return _decode_check(encoded)


def shared_metadata(metadata: Metadata) -> Metadata:
    """Return equal metadata, to be changed by nobody."""
    encoded = _encode(metadata)
    return _metadata(encoded) if len(encoded) <= MAX_SHARED_BYTES else metadata


@lru_cache(REMEMBERED)
def _metadata(encoded: bytes) -> Metadata:
    return _decode(encoded)


def share(registration: Registration) -> Registration:
    """Return the same registration, what repeats in it replaced by what is shared.

    Only for one that was just made: it is changed in place, before anyone has seen it.
    """
    put = force_setattr
    put(registration, "name", sys.intern(registration.name))
    put(registration, "host", shared_host(registration.host))
    if registration.ttl_seconds:
        put(registration, "ttl_seconds", shared_seconds(registration.ttl_seconds))
    if registration.health_endpoint:
        put(registration, "health_endpoint", sys.intern(registration.health_endpoint))
    if registration.metadata:
        put(registration, "metadata", shared_metadata(registration.metadata))
    if registration.tags:
        put(registration, "tags", shared_tags(registration.tags))
    if registration.zone:
        put(registration, "zone", sys.intern(registration.zone))
    if registration.version:
        put(registration, "version", sys.intern(registration.version))
    if registration.check is not None:
        put(registration, "check", shared_check(registration.check))
    return registration


def share_lease(lease: Lease) -> Lease:
    """Return the same lease, which was just made, and shares what it can."""
    registration = share(lease.registration)
    if lease.renewed_at == registration.generation:
        force_setattr(lease, "renewed_at", registration.generation)
    if lease.heartbeat_ms == registration.registered_at_ms:
        force_setattr(lease, "heartbeat_ms", registration.registered_at_ms)
    return lease


def share_transition(transition: Transition, lease: Lease | None) -> Transition:
    """Return an equal transition, which shares what it can with its registration."""
    position, at_ms = transition.position, transition.at_ms
    service_id, host = transition.service_id, transition.host
    if lease is not None:
        registration = lease.registration
        service_id = registration.service_id
        if position == registration.generation:
            position = registration.generation
        if at_ms == registration.registered_at_ms:
            at_ms = registration.registered_at_ms
        if host == registration.host:
            host = registration.host
    return Transition(
        position,
        at_ms,
        service_id,
        host,
        transition.port,
        sys.intern(transition.before),
        sys.intern(transition.after),
        sys.intern(transition.cause),
    )
