"""Snapshots without faults, and how damage is found."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from cluster.errors import DiskCorrupt, StartRefused
from cluster.identity import FORMAT_VERSION
from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore, snapshot_name
from cluster.storage.synced_writer import SLICE_BYTES, SYNC_EVERY_BYTES
from tests.support.sim_files import SimFiles


def meta(index: int, term: int = 3) -> SnapshotMeta:
    """Return the description of a snapshot."""
    return SnapshotMeta(index, term, "c1", 1, ("a", "b", "c"))


def stored(index: int = 7) -> tuple[SimFiles, str]:
    """Return a disk with one snapshot, and its name."""
    files = SimFiles()
    SnapshotStore(files).write(meta(index), [b"one", b"", b"three"])
    return files, snapshot_name(index)


def test_without_a_snapshot_there_is_none() -> None:
    """A young replica has only its log."""
    assert SnapshotStore(SimFiles()).newest() is None


def test_a_snapshot_is_found_again() -> None:
    """With everything that its header says, and its chunks as they were."""
    files = SimFiles()
    written = SnapshotStore(files).write(meta(7), iter([b"one", b"", b"three"]))
    store = SnapshotStore(files)
    found = store.newest()

    assert found == written
    assert found == msgspec.structs.replace(meta(7), size_bytes=written.size_bytes)
    assert list(store.chunks(found)) == [b"one", b"", b"three"]
    assert len(files.content(snapshot_name(7))) == written.size_bytes


def test_a_newer_snapshot_replaces_the_older_one() -> None:
    """One is needed; two would fill the disk."""
    files, _ = stored(7)
    SnapshotStore(files).write(meta(300), [b"newer"])

    assert files.names() == [snapshot_name(300)]


def test_an_older_snapshot_is_refused() -> None:
    """The log behind the newer one may be gone already."""
    files, name = stored(7)
    with pytest.raises(ValueError, match="older"):
        SnapshotStore(files).write(meta(6), [])

    assert files.names() == [name]


def test_a_large_snapshot_is_synced_in_parts() -> None:
    """The log's own sync never waits behind more than that."""
    unsynced_bytes = largest = 0
    files = SimFiles()
    store = SnapshotStore(files)
    free = files.free

    def hook(name: str) -> None:
        nonlocal unsynced_bytes, largest, free
        unsynced_bytes += free - files.free
        free = files.free
        largest = max(largest, unsynced_bytes)
        if name == "sync":
            unsynced_bytes = 0

    files.on_operation = hook
    paces = 0

    def pace() -> None:
        nonlocal paces
        paces += 1

    store.write(meta(1), (bytes(100_000) for _ in range(120)), pace)

    assert SYNC_EVERY_BYTES <= largest <= SYNC_EVERY_BYTES + SLICE_BYTES
    assert paces > 30


def test_a_chunk_that_is_too_large_is_refused() -> None:
    """A reader takes a longer one for damage."""
    files, name = stored(7)
    with pytest.raises(ValueError, match="too large"):
        SnapshotStore(files).write(meta(8), [bytes(1024 * 1024 + 1)])

    assert files.names() == [name]


def test_an_error_while_drawing_chunks_leaves_the_former_snapshot() -> None:
    """And no half file; the pace may raise to end the writing, too."""
    files, name = stored(7)

    def chunks() -> Iterator[bytes]:
        yield b"x" * SLICE_BYTES
        raise RuntimeError("simulated")

    with pytest.raises(RuntimeError, match="simulated"):
        SnapshotStore(files).write(meta(8), chunks())

    assert files.names() == [name]


def test_every_damaged_byte_is_found() -> None:
    """Never silently an older state, and never a wrong one."""
    files, name = stored()
    whole = files.content(name)
    for offset in range(len(whole)):
        files.put(name, whole)
        files.flip_bit(name, offset)
        with pytest.raises(DiskCorrupt, match=name):
            SnapshotStore(files).newest()


def test_every_shortened_file_is_found() -> None:
    """The trailer tells the end; a file cut between two chunks has none."""
    files, name = stored()
    whole = files.content(name)
    for length in range(len(whole)):
        files.put(name, whole[:length])
        with pytest.raises(DiskCorrupt, match=name):
            SnapshotStore(files).newest()
    files.put(name, whole + b"\0")
    with pytest.raises(DiskCorrupt, match="behind the trailer"):
        SnapshotStore(files).newest()


def test_a_damaged_newest_snapshot_is_not_replaced_by_an_older_one() -> None:
    """The older one lacks entries that were acknowledged and dropped from the log."""
    files, name = stored(7)
    older, _ = stored(6)
    files.put(snapshot_name(6), older.content(snapshot_name(6)))
    files.flip_bit(name, 20)

    with pytest.raises(DiskCorrupt, match=name):
        SnapshotStore(files).newest()


def test_a_snapshot_under_another_name_is_refused() -> None:
    """Its index decides which log entries are applied after it."""
    files, name = stored(7)
    files.put(snapshot_name(9), files.content(name))

    with pytest.raises(DiskCorrupt, match="contains index 7"):
        SnapshotStore(files).newest()


def test_damage_is_found_while_chunks_are_drawn() -> None:
    """The disk may rot after the start."""
    files, name = stored()
    store = SnapshotStore(files)
    found = store.newest()
    assert found is not None
    files.flip_bit(name, found.size_bytes - 1)

    with pytest.raises(DiskCorrupt, match="damaged"):
        list(store.chunks(found))


def test_a_newer_format_is_refused_as_such() -> None:
    """After a downgrade the operator must not think that the disk is broken."""
    payload = struct.pack("<H", FORMAT_VERSION + 1) + b"what later versions write"
    crc = zlib.crc32(payload, zlib.crc32(struct.pack("<QBI", 0, 1, len(payload))))
    header = struct.pack("<4sBII", b"\xc1SNP", 1, len(payload), crc) + payload
    files = SimFiles()
    files.put(snapshot_name(7), header)

    with pytest.raises(StartRefused, match="written by a newer") as raised:
        SnapshotStore(files).newest()
    assert not isinstance(raised.value, DiskCorrupt)


def test_leftovers_of_a_crash_are_removed_at_start() -> None:
    """And nothing else is."""
    files, name = stored(7)
    ours = [snapshot_name(8) + ".tmp", "incoming-1.tmp"]
    for leftover in [*ours, "other.tmp", "wal-0000000000000001.log.tmp"]:
        files.put(leftover, b"x")
    SnapshotStore(files)

    assert files.names() == ["other.tmp", name, "wal-0000000000000001.log.tmp"]


def test_the_raw_file_outlives_a_newer_snapshot() -> None:
    """A peer goes on receiving the one that it began with."""
    files, name = stored(7)
    whole = files.content(name)
    store = SnapshotStore(files)
    found = store.newest()
    assert found is not None
    with closing(store.open_raw(found)) as raw:
        store.write(meta(8), [])

        assert raw.read_at(0, raw.size()) == whole


def test_the_reserve_is_taken_and_released() -> None:
    """With a full disk only a snapshot gives room again, so its room is held back."""
    files = SimFiles()
    files.free = 10_000
    store = SnapshotStore(files)

    assert store.take_reserve(8_000)
    assert files.free == 2_000
    assert store.take_reserve(8_000)
    store.release_reserve()
    store.release_reserve()
    assert files.free == 10_000
    assert not store.take_reserve(20_000)


def test_a_snapshot_is_written_out_of_the_reserve() -> None:
    """Without it the disk would stay full for ever."""
    files = SimFiles()
    files.free = 10_000
    store = SnapshotStore(files)
    store.take_reserve(8_000)
    with pytest.raises(OSError, match="no space"):
        store.write(meta(5), [bytes(5_000)])
    store.release_reserve()
    store.write(meta(5), [bytes(5_000)])

    assert files.names() == [snapshot_name(5)]
