"""What the machine does with bytes that are no command of this version."""

import msgspec
import pytest

from registry.catalog.commands import SCHEMA, Deregister
from registry.catalog.decoding import UnknownCommandError
from registry.catalog.machine import CatalogMachine
from registry.model import ServiceId

COMMAND = {"type": "deregister", "schema": SCHEMA, "service_id": "a", "at_ms": 1}


@pytest.mark.parametrize(
    "newer",
    [
        {**COMMAND, "schema": SCHEMA + 1},
        {**COMMAND, "schema": SCHEMA + 1, "service_id": ["now", "a", "list"]},
        {**COMMAND, "type": "set_policy"},
    ],
)
def test_a_command_of_a_newer_version_stops_the_replica(
    newer: dict[str, object],
) -> None:
    """I1: skipping it would make this replica differ from the others."""
    with pytest.raises(UnknownCommandError):
        CatalogMachine().apply(256, msgspec.msgpack.encode(newer))


@pytest.mark.parametrize(
    "malformed",
    [
        msgspec.msgpack.encode({**COMMAND, "at_ms": "noon"}),
        msgspec.msgpack.encode(["deregister", "a"]),
        msgspec.msgpack.encode(COMMAND)[:-1],
        b"",
    ],
)
def test_a_malformed_command_is_an_ordinary_refusal(malformed: bytes) -> None:
    """I2: the same everywhere, and one bad proposal does not stop the cluster."""
    with pytest.raises(msgspec.DecodeError):
        CatalogMachine().apply(256, malformed)


def test_fields_that_this_version_does_not_know_are_ignored() -> None:
    """A field that may be ignored is added without a new schema."""
    extra = {**COMMAND, "reason": "scaled down"}
    plain = msgspec.msgpack.encode(Deregister(service_id=ServiceId("a"), at_ms=1))

    machine = CatalogMachine()
    assert machine.apply(256, msgspec.msgpack.encode(extra)) == machine.apply(
        257, plain
    )
