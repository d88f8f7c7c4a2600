"""The commands and the snapshot of schema 2, as the version that introduced them
wrote them.

The missing files are written by ``python -m tests.formats.test_catalog_schema_2``.
"""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from registry.catalog import invariants, outcomes
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Drain,
    Expire,
    Expiry,
    Forget,
    Opinion,
    Register,
    Renew,
    SetStatus,
    Suspect,
    Suspicion,
    Undrain,
    Verdict,
    needing,
)
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome
from registry.catalog.records import Lease
from registry.model import Check, ServiceId, ServiceName, Status

FOLDER = Path(__file__).parent / "catalog_schema_2"
A = ServiceId("orders-eu-1")
AT_MS = 1_769_126_040_000
KEY = (ServiceName("orders"), "orders", 8500)

COMMANDS: dict[str, AnyCommand] = {
    "register": Register(
        schema=2,
        service_id=A,
        name=KEY[0],
        host=KEY[1],
        port=KEY[2],
        at_ms=AT_MS,
        ttl_seconds=300.0,
        check=Check("grpc", "orders.v1", 5.0, 1.0, 2, 3, 204),
        exclusive=True,
    ),
    "renew": Renew(schema=2, service_ids=(A,), at_ms=AT_MS, by_check=True),
    "set_status": SetStatus(
        schema=2,
        service_id=A,
        generation=256,
        status=Status.HEALTHY,
        cause="check_passed",
        at_ms=AT_MS,
        by_check=True,
    ),
    "expire": Expire(items=(Expiry(A, 256, 512, 300.0),), at_ms=AT_MS),
    "suspect": Suspect(items=(Suspicion(A, 256),), replica="a", at_ms=AT_MS),
    "opinion": Opinion(
        items=(Verdict(A, 256, passed=False, cause="connect refused"),),
        replica="b",
        suspect=768,
        at_ms=AT_MS,
    ),
    "drain": Drain(keys=(KEY,), reason="upgrade", at_ms=AT_MS, limit_seconds=60.0),
    "undrain": Undrain(keys=(KEY,), cause="undrained", at_ms=AT_MS, drained_at=1024),
    "forget": Forget(before=256, at_ms=AT_MS),
}


ORDER: tuple[tuple[str, int, Outcome], ...] = (
    ("register", 256, Outcome(Code.OK, 256)),
    ("renew", 512, Outcome(Code.OK, 0, (Code.OK,))),
    ("suspect", 768, Outcome(Code.OK)),
    ("drain", 1024, Outcome(Code.OK, 0, (Code.OK,))),
    ("expire", 1280, Outcome(Code.OK, 0, (Code.OK,))),
    ("undrain", 1536, Outcome(Code.OK, 0, (Code.OK,))),
    ("set_status", 1792, Outcome(Code.OK)),
    ("opinion", 2048, Outcome(Code.OK)),
    ("forget", 2304, Outcome(Code.OK)),
)
"""File name, position, and the outcome when applied in this order."""

SNAPSHOT = "snapshot"
"""The snapshot after all of them and ``FILLING``, as an array of its chunks."""


def _plain(service_id: str, name: str) -> Register:
    return Register(
        service_id=ServiceId(service_id),
        name=ServiceName(name),
        host="orders",
        port=8500,
        at_ms=AT_MS,
        ttl_seconds=300.0,
    )


FILLING: tuple[AnyCommand, ...] = (
    _plain("users-1", "users"),
    Expire(items=(Expiry(ServiceId("users-1"), 2560, 2560, 300.0),), at_ms=AT_MS),
    _plain("users-2", "users"),
    Deregister(service_id=ServiceId("users-2"), at_ms=AT_MS),
    Drain(keys=(KEY,), reason="", at_ms=AT_MS + 1),
    Expire(items=(Expiry(A, 256, 1792, 300.0),), at_ms=AT_MS + 2),
)
"""What leaves something of each kind in the snapshot."""


def path_of(name: str) -> Path:
    """Return the file of a sample."""
    return FOLDER / f"{name}.msgpack"


def after_all() -> CatalogMachine:
    """Return a machine that has applied the samples, and the filling."""
    machine = CatalogMachine()
    for name, position, expected in ORDER:
        outcome = machine.apply(position, path_of(name).read_bytes())
        machine.applied(position >> 8)
        assert outcomes.decode(outcome) == expected, name
    for index, command in enumerate(FILLING, start=10):
        machine.apply(index << 8, msgspec.msgpack.encode(command))
        machine.applied(index)
    return machine


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_of_schema_2_means_what_it_meant(name: str) -> None:
    """A log outlives the version that wrote it."""
    decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)
    decoded = decoder.decode(path_of(name).read_bytes())

    assert decoded == COMMANDS[name]
    assert needing(decoded) == 2


def test_a_snapshot_of_schema_2_is_restored_as_what_it_was() -> None:
    """With the drains, the gone of both kinds, the history and what is kept."""
    chunks = msgspec.msgpack.decode(path_of(SNAPSHOT).read_bytes(), type=list[bytes])
    machine = CatalogMachine()
    for _ in machine.restore(iter(chunks)):
        pass
    state, replayed = machine.state, after_all().state

    invariants.check(state)
    assert (state.index, state.removal_index) == (15, 13)
    assert list(state.leases.items()) == _as_before(replayed.leases)
    assert list(state.slots.items()) == list(replayed.slots.items())
    assert list(state.drains.items()) == list(replayed.drains.items())
    assert list(state.gone.entries.items()) == list(replayed.gone.entries.items())
    assert list(state.ended.entries.items()) == list(replayed.ended.entries.items())
    assert list(state.history.entries.values()) == list(
        replayed.history.entries.values()
    )
    kept = machine.catalog.lease(A)
    assert kept is not None
    assert kept.expired
    assert (len(state.drains), len(state.gone), len(state.ended)) == (1, 1, 1)


def _as_before(leases: dict[ServiceId, Lease]) -> list[tuple[ServiceId, Lease]]:
    """Return what the snapshot kept then: not yet whether one was exclusive."""
    kept = []
    for service_id, lease in leases.items():
        registration = replace(lease.registration, exclusive=False)
        kept.append((service_id, replace(lease, registration=registration)))
    return kept


def test_every_sample_of_schema_2_is_read() -> None:
    """A sample that no test knows protects nothing."""
    names = {name for name, _, _ in ORDER}

    assert names == COMMANDS.keys()
    assert {path.stem for path in FOLDER.iterdir()} == {*names, SNAPSHOT}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, command in COMMANDS.items():
        if not path_of(name).exists():
            path_of(name).write_bytes(msgspec.msgpack.encode(command))
    if not path_of(SNAPSHOT).exists():
        path_of(SNAPSHOT).write_bytes(
            msgspec.msgpack.encode(list(after_all().snapshot()))
        )
