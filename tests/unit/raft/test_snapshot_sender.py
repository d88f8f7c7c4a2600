"""SnapshotSender: pieces in a window, one transfer per peer, and each one ends."""

import errno

from cluster.raft.snapshot_sender import SILENCE_S, WINDOW
from cluster.raft.wire import SnapshotAck, SnapshotOffer
from cluster.storage.snapshot_file import SnapshotMeta
from tests.unit.raft.snapshots import INDEX, PIECE_BYTES, TERM, Source


def test_nothing_but_an_offer_is_sent_unasked() -> None:
    """The follower may hold it already."""
    source = Source()
    source.offer()

    assert source.sent == [("b", SnapshotOffer(7, INDEX, TERM, len(source.content)))]
    assert source.sender.is_receiving("b")
    assert not source.sender.is_receiving("c")


def test_an_ack_lets_a_window_of_pieces_go() -> None:
    """And each further one as much as it acknowledges."""
    source = Source()
    source.offer()
    source.ack(0)
    assert len(source.pieces()) == WINDOW
    source.ack(PIECE_BYTES)
    assert len(source.pieces()) == WINDOW + 1
    source.ack(0)  # an old one, late

    assert len(source.pieces()) == WINDOW + 1


def test_the_pieces_are_the_file() -> None:
    """In order, without gap or overlap; then it ends."""
    source = Source()
    source.offer()
    source.ack(0)
    for offset in range(PIECE_BYTES, len(source.content), PIECE_BYTES):
        source.ack(offset)
    source.ack(len(source.content), finished=True)

    pieces = source.pieces()
    assert b"".join(piece.data for piece in pieces) == source.content
    assert [p.offset for p in pieces] == list(
        range(0, len(source.content), PIECE_BYTES)
    )
    assert not source.sender.is_receiving("b")
    assert source.sender.sent == 1


def test_a_second_offer_changes_nothing_while_one_is_under_way() -> None:
    """Appends ask for it again and again."""
    source = Source()
    source.offer()
    source.offer()
    source.offer("c")

    assert [peer for peer, _ in source.sent] == ["b", "c"]


def test_a_silent_transfer_is_given_up() -> None:
    """Its follower may have lost what it had; the next offer begins anew."""
    source = Source()
    source.offer()
    source.ack(0)
    source.clock.advance(SILENCE_S - 1.0)
    assert source.sender.is_receiving("b")
    source.clock.advance(2.0)
    assert not source.sender.is_receiving("b")
    source.offer()
    source.ack(0)

    assert source.pieces()[WINDOW].offset == 0


def test_an_ack_of_another_snapshot_does_not_count() -> None:
    """It belongs to a transfer that has ended."""
    source = Source()
    source.offer()
    source.sender.on_ack("b", SnapshotAck(INDEX - 1, 0, finished=True))
    source.sender.on_ack("c", SnapshotAck(INDEX, 0, finished=False))

    assert source.sender.is_receiving("b")
    assert source.pieces() == []


def test_a_piece_that_was_read_too_late_is_not_sent() -> None:
    """Its transfer was stopped while the disk was asked."""
    source = Source()
    source.offer()
    source.worker.eager = False
    source.ack(0)
    source.sender.stop("b")
    source.worker.release()

    assert source.pieces() == []
    assert source.failures == []


def test_the_file_is_closed_behind_the_reads_that_wait() -> None:
    """A read of a closed file would look like a broken disk."""
    source = Source()
    source.offer()
    source.offer("c")
    source.worker.eager = False
    source.ack(0)
    source.sender.stop_all()
    source.worker.release()

    assert source.failures == []
    assert not source.sender.is_receiving("b")
    assert not source.sender.is_receiving("c")


def test_a_snapshot_that_was_replaced_this_moment_is_not_offered() -> None:
    """The next append asks for the newer one."""
    source = Source()
    source.store.write(SnapshotMeta(60, 4, "c1", 1, ("a", "b")), [])
    source.offer()

    assert source.sent == []
    assert not source.sender.is_receiving("b")


def test_a_read_that_fails_is_our_own_disks_fault() -> None:
    """So it is told to who ends the replica."""
    source = Source()
    source.offer()

    def fail(operation: str) -> None:
        raise OSError(errno.EIO, operation)

    source.files.on_operation = fail
    source.files.crash()
    source.ack(0)

    assert len(source.failures) == WINDOW
    assert source.pieces() == []
