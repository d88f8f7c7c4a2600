"""Snapshots after a crash at any operation, with and without a power cut (I9)."""

import errno
from collections.abc import Callable
from random import Random

import pytest

from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore, snapshot_name
from tests.support.sim_files import SimFiles
from tests.unit.storage.test_wal_crashes import Crash, Trip

CHUNKS = [b"c" * 200_000] * 3


def meta(index: int) -> SnapshotMeta:
    """Return the description of a snapshot."""
    return SnapshotMeta(index, 1, "c1", 1, ("a",))


def raw(index: int) -> bytes:
    """Return a snapshot's file."""
    files = SimFiles()
    SnapshotStore(files).write(meta(index), [*CHUNKS, b"%d" % index])
    return files.content(snapshot_name(index))


RAW = {index: raw(index) for index in (1, 2, 3)}


def write_all(files: SimFiles, acknowledged: list[int]) -> None:
    """Write three snapshots."""
    store = SnapshotStore(files)
    for index in (1, 2, 3):
        store.write(meta(index), [*CHUNKS, b"%d" % index])
        acknowledged.append(index)


def receive_all(files: SimFiles, acknowledged: list[int]) -> None:
    """Receive three snapshots."""
    store = SnapshotStore(files)
    for index in (1, 2, 3):
        content = RAW[index]
        incoming = store.receiver(
            cluster_id="c1", index=index, term=1, size_bytes=len(content)
        )
        for offset in range(0, len(content), 150_000):
            incoming.append(offset, content[offset : offset + 150_000])
        incoming.finish()
        acknowledged.append(index)


SCENARIO = pytest.mark.parametrize("scenario", [write_all, receive_all])
Scenario = Callable[[SimFiles, list[int]], None]


def check(files: SimFiles, acknowledged: list[int], seed: int) -> None:
    """The newest acknowledged snapshot is there, or the one that was under way."""
    store = SnapshotStore(files)
    newest = store.newest()
    last = acknowledged[-1] if acknowledged else 0
    index = newest.index if newest else 0
    assert index in (last, last + 1)
    if newest is not None:
        assert list(store.chunks(newest)) == [*CHUNKS, b"%d" % index]
    assert [n for n in files.names() if n.endswith(".tmp")] == []
    files.power_cut(Random(seed))
    again = SnapshotStore(files).newest()
    assert again == newest, "what was seen once must stay"


def interrupted(
    scenario: Scenario, at: int, error: BaseException
) -> tuple[SimFiles, list[int]]:
    """Return the disk of a run that ended at one operation."""
    files = SimFiles(Trip(at, error))
    acknowledged: list[int] = []
    with pytest.raises(type(error)):
        scenario(files, acknowledged)
    files.on_operation = None
    return files, acknowledged


def length(scenario: Scenario) -> int:
    """Return how many operations an undisturbed run has."""
    trip = Trip(-1, Crash())
    scenario(SimFiles(trip), [])
    return trip.count


@SCENARIO
def test_a_killed_process_loses_no_snapshot(scenario: Scenario) -> None:
    """The log behind it is gone."""
    for at in range(1, length(scenario) + 1):
        for seed in range(4):
            files, acknowledged = interrupted(scenario, at, Crash())
            files.crash()
            check(files, acknowledged, seed)


@SCENARIO
def test_a_power_cut_loses_no_snapshot(scenario: Scenario) -> None:
    """Content before name, name before the older one goes."""
    for at in range(1, length(scenario) + 1):
        for seed in range(4):
            files, acknowledged = interrupted(scenario, at, Crash())
            files.power_cut(Random(at * 10 + seed))
            check(files, acknowledged, seed)


@SCENARIO
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_an_io_error_leaves_the_former_snapshot(scenario: Scenario, code: int) -> None:
    """A snapshot that failed is tried again later; the replica goes on."""
    for at in range(1, length(scenario) + 1):
        error = OSError(code, "simulated")
        files, acknowledged = interrupted(scenario, at, error)
        files.power_cut(Random(at))
        check(files, acknowledged, at)
