"""Snapshots: whole, the same bytes for the same state, never half understood."""

from collections.abc import Iterable

import msgspec
import pytest

from registry.catalog import invariants
from registry.catalog.commands import Register
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code
from registry.catalog.snapshot_format import (
    FORMAT,
    MAX_CHUNK_BYTES,
    SCHEMA,
    Header,
    Leases,
)
from registry.model import ServiceId, ServiceName, Status
from tests.support.catalog_driver import CHECK, T0_MS, CatalogDriver


def restored(chunks: Iterable[bytes]) -> CatalogMachine:
    """Return a machine with the state of these chunks."""
    machine = CatalogMachine()
    for _ in machine.restore(iter(chunks)):
        pass
    return machine


def filled() -> CatalogDriver:
    """Return a catalog with something of each kind in it."""
    log = CatalogDriver()
    log.register("a", name="web", tags=("blue",))
    log.register("b", name="web")
    log.register("c", name="web", host="web-2")
    log.register("d", name="api")
    log.register("e", name="old")
    log.set_status("c", Status.UNHEALTHY)
    log.renew("a", "d", at_ms=T0_MS + 5)
    log.expire("d", "e")
    log.register("f", name="web", host="web-3", check=CHECK)
    log.expire("f")
    log.register("g", name="api")
    log.deregister("g")
    log.drain()
    return log


def test_a_restored_machine_has_the_same_state() -> None:
    """Views, counters and indices, too, though they are not in the snapshot (I8)."""
    log = filled()
    machine = restored(log.snapshot())

    invariants.check(machine.state)
    assert list(machine.snapshot()) == log.snapshot()
    assert machine.catalog.index == log.index
    assert machine.catalog.service("web") == log.catalog.service("web")
    assert machine.catalog.names() == log.catalog.names()
    assert machine.catalog.removal_index("x") == log.catalog.removal_index("x")
    assert machine.catalog.healthy == log.catalog.healthy
    assert machine.catalog.drains() == log.catalog.drains()
    assert machine.catalog.history("old") == log.catalog.history("old") != ()
    assert machine.catalog.gone("g") == log.catalog.gone("g") is not None
    assert machine.catalog.services_at("web-3", 8500) == ("web",)


def test_what_stands_in_several_places_is_one_object_again() -> None:
    """A decoder makes a copy for each: half as much memory again after a restart."""
    log = CatalogDriver()
    log.register("a", name="a-long-name", host="a-long-host")
    state = restored(log.snapshot()).state
    ((key, slot),) = state.slots.items()
    (lease,) = state.leases.values()
    (transition,) = state.history.of(ServiceName("a-long-name"))
    registration = lease.registration

    assert slot.key is key
    assert key[0] is registration.name
    assert key[1] is registration.host is transition.host
    assert slot.ids[0] is registration.service_id is transition.service_id
    assert slot.since_ms is registration.registered_at_ms is transition.at_ms
    assert lease.renewed_at is registration.generation is transition.position


def test_what_expired_can_be_revived_after_a_restart() -> None:
    """What decides must be in the snapshot."""
    log = filled()
    log.machine = restored(log.snapshot())
    log.catalog = log.machine.catalog

    codes = log.renew("d", "f", "g", "none")
    assert codes[:2] == (Code.REVIVED, Code.REVIVED)
    assert codes[2:] == (Code.UNKNOWN_SERVICE_ID, Code.UNKNOWN_SERVICE_ID)


def test_a_snapshot_shows_the_moment_it_was_asked_for() -> None:
    """It is drawn in a thread while the log goes on."""
    log = filled()
    then = log.snapshot()
    chunks = log.machine.snapshot()
    log.renew("a", "b", "c", at_ms=T0_MS + 99)
    log.deregister("c")
    log.register("h", name="more")
    log.undrain()

    assert list(chunks) == then


def test_the_old_state_shows_until_the_last_step() -> None:
    """A replica that catches up goes on answering from what it has (I7)."""
    log = filled()
    catalog = log.catalog
    other = CatalogDriver()
    other.register("z", name="other")
    steps = log.machine.restore(iter(other.snapshot()))
    for _ in steps:
        assert catalog.names() == ("web",)

    assert catalog.names() == ("other",)
    assert catalog.index == 1


def test_a_replaced_state_is_let_go_bit_by_bit() -> None:
    """And the new one is not touched by that."""
    log = filled()
    chunks = log.snapshot()
    for _ in range(2):
        for _ in log.machine.restore(iter(chunks)):
            pass
        log.machine.applied(log.index)

    assert log.snapshot() == chunks
    invariants.check(log.machine.state)


def test_states_replaced_one_after_another_are_each_let_go_bit_by_bit() -> None:
    """Freed at once, one of 100,000 services would hold up the loop for 0.3 s."""
    log = filled()
    chunks = log.snapshot()
    former = []
    for _ in range(2):
        former.append(log.machine.state)
        for _ in log.machine.restore(iter(chunks)):
            pass
    filled_still = [len(state.leases) for state in former]
    for _ in range(2):
        log.machine.applied(log.index)

    assert 0 not in filled_still
    for state in former:
        left = [len(state.leases), len(state.services), len(state.history.names())]
        assert (left, len(state.names), len(state.addresses)) == ([0] * 3, 0, 0)


def test_of_states_replaced_faster_than_entries_come_only_a_few_wait() -> None:
    """Each is as large as the catalog: the oldest goes at once, for all it costs."""
    log = filled()
    chunks = log.snapshot()
    former = []
    for _ in range(4):
        former.append(log.machine.state)
        for _ in log.machine.restore(iter(chunks)):
            pass
    for _ in former:
        log.machine.applied(log.index)

    # The machine has forgotten the first two; only this test still holds them.
    assert [bool(state.leases) for state in former] == [True, True, False, False]


def test_an_empty_catalog_has_a_snapshot() -> None:
    """A cluster may compact its log before anything registered."""
    assert restored(CatalogDriver().snapshot()).catalog.services == 0


def test_large_registrations_are_split_over_chunks() -> None:
    """A chunk is at most 1 MiB, whatever is in it."""
    log = CatalogDriver()
    for number in range(200):
        command = Register(
            service_id=ServiceId(f"id-{number}"),
            name=ServiceName("web"),
            host="web",
            port=number + 1,
            at_ms=T0_MS,
            ttl_seconds=300.0,
            metadata={f"key-{k}": "x" * 1000 for k in range(8)},
        )
        log.apply(command)
    chunks = log.snapshot()

    assert max(map(len, chunks)) <= MAX_CHUNK_BYTES < sum(map(len, chunks))
    assert list(restored(chunks).snapshot()) == chunks


def test_a_truncated_or_reordered_stream_is_refused() -> None:
    """Half a catalog must never pass for a whole one (I10)."""
    chunks = filled().snapshot()
    broken = [chunks[:n] for n in range(len(chunks))]
    broken.append(chunks[1:])
    broken.append([*chunks, chunks[0]])
    broken.append([chunks[0], *reversed(chunks[1:])])
    broken.extend(chunks[:n] + chunks[n + 1 :] for n in range(len(chunks)))

    for stream in broken:
        with pytest.raises(ValueError, match="snapshot"):
            restored(stream)


def test_what_is_not_understood_is_refused() -> None:
    """A newer version's snapshot above all: guessing would lose what it means."""
    header = Header(FORMAT, SCHEMA, 1, 0, 0, 0, 0, 0)
    newer = msgspec.structs.replace(header, schema=SCHEMA + 1)
    foreign = msgspec.structs.replace(header, format="something else")
    encode = msgspec.msgpack.encode

    for stream in ([b"\xc1"], [encode(newer)], [encode(foreign)], [encode({"a": 1})]):
        with pytest.raises(ValueError, match="snapshot"):
            restored(stream)


def test_a_registration_without_its_instance_is_refused() -> None:
    """The parts must belong together, not only be as many as promised."""
    log = filled()
    state = log.machine.state
    leases = [*state.leases.values()]
    stranger = msgspec.structs.replace(
        leases[0],
        registration=msgspec.structs.replace(leases[0].registration, host="elsewhere"),
    )
    chunks = log.snapshot()
    encode = msgspec.msgpack.encode
    place = chunks.index(encode(Leases(leases)))
    chunks[place] = encode(Leases([stranger, *leases[1:]]))

    with pytest.raises(ValueError, match="stands on nothing"):
        restored(chunks)
