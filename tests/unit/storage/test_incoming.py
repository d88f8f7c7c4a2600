"""Receiving a peer's snapshot."""

import pytest

from cluster.storage.incoming import Incoming
from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore, snapshot_name
from tests.support.sim_files import SimFiles

SOURCE = SnapshotMeta(50, 4, "c1", 2, ("a", "b"))


def peers_file() -> bytes:
    """Return the bytes that a peer sends."""
    files = SimFiles()
    SnapshotStore(files).write(SOURCE, [b"x" * 1000, b"y"])
    return files.content(snapshot_name(50))


def receiver(
    files: SimFiles, *, cluster_id: str = "c1", index: int = 50, term: int = 4
) -> Incoming:
    """Return a receiver of the peer's file."""
    return SnapshotStore(files).receiver(
        cluster_id=cluster_id, index=index, term=term, size_bytes=len(peers_file())
    )


def send(incoming: Incoming, content: bytes, piece_bytes: int = 100) -> None:
    """Send ``content`` in pieces."""
    for offset in range(0, len(content), piece_bytes):
        incoming.append(offset, content[offset : offset + piece_bytes])


def test_a_received_snapshot_becomes_the_newest() -> None:
    """Byte for byte as the peer has it; older ones go."""
    files = SimFiles()
    SnapshotStore(files).write(SnapshotMeta(3, 1, "c1", 1, ("a",)), [])
    incoming = receiver(files)
    send(incoming, peers_file())
    received = incoming.finish()

    assert received == SnapshotStore(files).newest()
    assert files.names() == [snapshot_name(50)]
    assert files.content(snapshot_name(50)) == peers_file()


def test_a_gap_or_a_repetition_is_refused() -> None:
    """The pieces of a link come in order; anything else is a peer's fault."""
    incoming = receiver(SimFiles())
    incoming.append(0, b"abc")

    for offset in (0, 2, 4):
        with pytest.raises(ValueError, match="expected offset 3"):
            incoming.append(offset, b"d")


def test_more_than_was_announced_is_refused() -> None:
    """The disk is not for a peer to fill."""
    incoming = receiver(SimFiles())
    content = peers_file()
    send(incoming, content)

    with pytest.raises(ValueError, match="more than"):
        incoming.append(len(content), b"x")


def test_an_incomplete_or_damaged_file_leaves_nothing() -> None:
    """Each of them: the own state must not be replaced by half a state."""
    content = peers_file()
    flipped = content[:300] + b"?" + content[301:]
    for wrong in (content[:-1], content[:40], b"", flipped):
        files = SimFiles()
        incoming = receiver(files)
        send(incoming, wrong)
        with pytest.raises(ValueError, match="unusable"):
            incoming.finish()

        assert files.names() == []


@pytest.mark.parametrize(
    "announced", [{"cluster_id": "c2"}, {"index": 51}, {"term": 5}]
)
def test_another_snapshot_than_announced_is_refused(
    announced: dict[str, str | int],
) -> None:
    """The log is reset to the announced index and term."""
    files = SimFiles()
    incoming = SnapshotStore(files).receiver(
        cluster_id=str(announced.get("cluster_id", "c1")),
        index=int(announced.get("index", 50)),
        term=int(announced.get("term", 4)),
        size_bytes=len(peers_file()),
    )
    send(incoming, peers_file())
    with pytest.raises(ValueError, match="not what was announced"):
        incoming.finish()

    assert files.names() == []


def test_an_older_snapshot_than_ours_is_refused() -> None:
    """What we have must not be taken back (I7)."""
    files = SimFiles()
    SnapshotStore(files).write(SnapshotMeta(60, 4, "c1", 2, ("a",)), [])
    incoming = receiver(files)
    send(incoming, peers_file())
    with pytest.raises(ValueError, match="older"):
        incoming.finish()

    assert files.names() == [snapshot_name(60)]


def test_an_aborted_transfer_leaves_nothing() -> None:
    """The link broke; the next attempt begins anew, beside it if need be."""
    files = SimFiles()
    store = SnapshotStore(files)
    size_bytes = len(peers_file())
    first, second = (
        store.receiver(cluster_id="c1", index=50, term=4, size_bytes=size_bytes)
        for _ in range(2)
    )
    first.append(0, b"abc")
    send(second, peers_file())
    first.abort()
    first.abort()
    second.finish()

    assert files.names() == [snapshot_name(50)]
    with pytest.raises(ValueError, match="ended"):
        first.append(3, b"d")
    with pytest.raises(ValueError, match="ended"):
        second.finish()
