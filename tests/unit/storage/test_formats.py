"""Files of every released format can still be read, and the newest is still written.

The samples in ``tests/formats`` are never changed: a new format adds new ones.
"""

from pathlib import Path

from cluster.identity import Identity, Standing
from cluster.storage.records import NO_OP, Commit, Entry, HardState, Reset, Truncate
from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore
from cluster.storage.wal import Wal
from tests.support.sim_files import SimFiles

FORMATS = Path(__file__).parents[2] / "formats"
MEMBER = Identity("node-a", "cluster-1", 2, ("node-a", "node-b"), Standing.MEMBER)
META = SnapshotMeta(40, 3, "cluster-1", 2, ("node-a", "node-b"))
CHUNKS = [b"first chunk", b"", bytes(range(256))]


def sample(version: str) -> SimFiles:
    """Return a disk with the files of a sample."""
    files = SimFiles()
    for path in sorted((FORMATS / version).iterdir()):
        files.put(path.name, path.read_bytes())
    return files


def write_log(files: SimFiles) -> None:
    """Write the log of the sample: every kind of record, two segments."""
    wal, _ = Wal.recover(files)
    wal.write_identity(Identity("node-a"))
    wal.write([Entry(1, 0, NO_OP), HardState(1, None)])
    wal.write_identity(MEMBER)
    wal.write([HardState(3, "node-b"), Entry(2, 1, b"lost"), Commit(1)])
    wal.write([Truncate(2), Entry(2, 3, b"kept")])
    wal.write([Reset(40, 3), Entry(41, 3, bytes(range(256))), Commit(41)])
    wal.close()


def write_snapshot(files: SimFiles) -> None:
    """Write the snapshot of the sample."""
    SnapshotStore(files).write(META, CHUNKS)


def contents(files: SimFiles) -> dict[str, bytes]:
    """Return all files."""
    return {name: files.content(name) for name in files.names()}


def test_the_log_of_format_1_is_read() -> None:
    """An upgrade keeps the disk."""
    _, found = Wal.recover(sample("wal-v1"))

    assert found.identity == MEMBER
    assert found.entries == [(NO_OP, 40, 3), (bytes(range(256)), 41, 3)]
    assert (found.term, found.voted_for) == (3, "node-b")
    assert (found.commit_index, found.torn_bytes, found.segments) == (41, 0, 2)


def test_the_snapshot_of_format_1_is_read() -> None:
    """It also comes from peers of that version, in a rolling upgrade."""
    store = SnapshotStore(sample("snapshot-v1"))
    found = store.newest()

    assert found is not None
    assert found == SnapshotMeta(
        META.index, META.term, "cluster-1", 2, META.members, found.size_bytes
    )
    assert list(store.chunks(found)) == CHUNKS


def test_the_present_format_is_still_format_1() -> None:
    """Whoever changes a byte of it has to raise FORMAT_VERSION and add samples."""
    log, snapshot = SimFiles(), SimFiles()
    write_log(log)
    write_snapshot(snapshot)

    assert contents(log) == contents(sample("wal-v1"))
    assert contents(snapshot) == contents(sample("snapshot-v1"))
