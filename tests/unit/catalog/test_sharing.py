"""What repeats is held once, and nothing can be told by it (I1)."""

import msgspec
import pytest

from registry.catalog.records import Lease
from registry.catalog.sharing import (
    MAX_SHARED_BYTES,
    share,
    share_lease,
    share_transition,
    shared_check,
    shared_metadata,
    shared_tags,
)
from registry.model import Check, MetadataValue, Registration, Transition
from tests.support.catalog_driver import T0_MS

POSITION = 5_000 << 8
_encode = msgspec.msgpack.encode


def registration(number: int = 1) -> Registration:
    """Return one as a decoder makes it: with objects that nobody else holds."""
    fields = {
        "service_id": f"id-{number}",
        "name": "web",
        "host": "10.0.0.1",
        "port": 8080,
        "generation": POSITION,
        "registered_at_ms": T0_MS,
        "ttl_seconds": 15.5,
        "health_endpoint": "/health",
        "metadata": {"region": "eu", "weight": 3, "is_spot": True},
        "tags": ["blue", "fast"],
        "zone": "a",
        "version": "1.2.3",
        "check": {"kind": "tcp", "interval_seconds": 2.5},
    }
    return msgspec.msgpack.decode(_encode(fields), type=Registration)


def lease() -> Lease:
    """Return that of such a registration, made by a decoder, too."""
    made = Lease(registration(), POSITION, T0_MS, 300)
    return msgspec.msgpack.decode(_encode(made), type=Lease)


def test_two_registrations_share_what_is_equal() -> None:
    """All but their ids, which differ, and their times."""
    one, other = share(registration(1)), share(registration(2))

    for field in (
        "name",
        "host",
        "ttl_seconds",
        "health_endpoint",
        "metadata",
        "tags",
        "zone",
        "version",
        "check",
    ):
        assert getattr(one, field) is getattr(other, field), field


def test_a_registration_is_the_same_to_the_byte() -> None:
    """Its part of a snapshot does not depend on what was there before."""
    assert _encode(share(registration())) == _encode(registration())


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": 1, "b": 2},
        {"b": 2, "a": 1},
        {"a": 1.0, "b": 2},
        {"a": True, "b": 2},
        {"a": "1", "b": 2},
        {"a": 0.0, "b": 2},
        {"a": -0.0, "b": 2},
        {"a": 2**64 - 1, "b": -(2**63)},
    ],
)
def test_metadata_keeps_its_types_and_its_order(
    metadata: dict[str, MetadataValue],
) -> None:
    """Python takes 1, 1.0 and True for equal, and so do dicts; a reader does not."""
    for _ in range(2):
        assert _encode(shared_metadata(metadata)) == _encode(metadata)


def test_large_metadata_is_not_remembered() -> None:
    """What is remembered is bounded in number, so each must be small."""
    metadata: dict[str, MetadataValue] = {"a": "x" * MAX_SHARED_BYTES}

    assert shared_metadata(metadata) is metadata


def test_the_parts_of_a_check_are_not_mixed_up() -> None:
    """Two that differ in one thing stay two."""
    checks = [Check(kind="tcp"), Check(kind="tcp", failures=3), Check(path="/x")]
    shared = [
        share(msgspec.structs.replace(registration(), check=check)).check
        for check in checks
    ]

    assert shared == checks


def test_a_lease_shares_the_times_of_its_registration() -> None:
    """Most leases of a restored catalog were not renewed: one number serves both."""
    shared = share_lease(lease())

    assert shared == lease()
    assert shared.renewed_at is shared.registration.generation
    assert shared.heartbeat_ms is shared.registration.registered_at_ms


def test_a_renewed_lease_keeps_its_own_times() -> None:
    """They are later than those of the registration."""
    renewed = Lease(registration(), POSITION + 256, T0_MS + 1, 300)

    assert share_lease(renewed) == Lease(registration(), POSITION + 256, T0_MS + 1, 300)


@pytest.mark.parametrize("behind", [None, share_lease(lease())])
def test_a_transition_is_the_same_to_the_byte(behind: Lease | None) -> None:
    """Whether the registration is still there or not."""
    for position, at_ms, host in (
        (POSITION, T0_MS, "10.0.0.1"),
        (POSITION + 1, T0_MS + 1, "10.0.0.2"),
    ):
        made = Transition(
            position,
            at_ms,
            registration().service_id,
            host,
            8080,
            "",
            "healthy",
            "registered",
        )
        decoded = msgspec.msgpack.decode(_encode(made), type=Transition)

        assert _encode(share_transition(decoded, behind)) == _encode(made)


def test_a_check_is_encoded_as_it_was_sent() -> None:
    """A default that was sent is equal to one that was not, and is not left out."""
    sent = msgspec.msgpack.decode(_encode({"kind": "http"}), type=Check)
    default = Check()
    for check in (default, sent, default, sent):
        assert _encode(shared_check(check)) == _encode(check)


def test_what_is_large_is_not_remembered() -> None:
    """It repeats less, and the memory of what is gone is bounded."""
    tags = tuple("x" * 60 + str(n) for n in range(10))
    large = Check(path="/" + "x" * MAX_SHARED_BYTES)

    assert shared_tags(tags) is not shared_tags(tags)
    assert shared_check(large) is large
