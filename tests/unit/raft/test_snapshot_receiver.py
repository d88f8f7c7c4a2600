"""SnapshotReceiver: what is whole and true is installed; every sender is answered."""

import errno

from cluster.raft.snapshot_receiver import FULL_PAUSE_S
from cluster.storage.snapshots import snapshot_name
from tests.unit.raft.snapshots import INDEX, PIECE_BYTES, TERM, Source, Target

CONTENT = Source().content


def test_a_snapshot_is_asked_for_and_each_piece_acknowledged() -> None:
    """When it is written, so that the sender does not run ahead of our disk."""
    target = Target()
    target.offered(CONTENT)
    assert target.acks() == [("a", INDEX, 0, False)]
    target.worker.eager = False
    target.piece(0, CONTENT[:PIECE_BYTES])
    assert len(target.acks()) == 1
    target.worker.release()

    assert target.acks()[1:] == [("a", INDEX, PIECE_BYTES, False)]


def test_the_whole_is_installed_and_then_acknowledged() -> None:
    """Appends go on only from the state that it brings."""
    target = Target()
    target.offered(CONTENT)
    target.whole(CONTENT)
    assert [meta.index for meta in target.installs] == [INDEX]
    assert target.files.content(snapshot_name(INDEX)) == CONTENT
    assert all(not finished for *_, finished in target.acks())
    target.receiver.installed()

    assert target.acks()[-1] == ("a", INDEX, 0, True)


def test_what_is_known_already_is_declined() -> None:
    """P6: it would discard newer entries."""
    target = Target()
    target.known.add((INDEX, TERM))
    target.offered(CONTENT)
    target.whole(CONTENT)

    assert target.acks() == [("a", INDEX, 0, True)]
    assert target.installs == []


def test_pieces_that_do_not_follow_are_ignored() -> None:
    """They belong to a transfer that has ended."""
    target = Target()
    target.piece(0, b"x")
    target.offered(CONTENT)
    target.piece(PIECE_BYTES, b"gap")
    target.piece(0, b"x", peer="c")
    target.piece(0, b"x", index=INDEX + 1)

    assert target.acks() == [("a", INDEX, 0, False)]
    assert target.receiver.rejected == 0


def test_a_newer_offer_displaces_what_is_incomplete() -> None:
    """Its sender is told to go on; the displaced file is gone."""
    target = Target()
    target.offered(CONTENT)
    target.piece(0, CONTENT[:PIECE_BYTES])
    target.offered(CONTENT, peer="c", index=INDEX + 9)

    assert target.acks()[-2:] == [("a", INDEX, 0, True), ("c", INDEX + 9, 0, False)]
    assert target.files.names() == []


def test_the_same_offer_anew_begins_anew() -> None:
    """Without telling its sender that it is enough: that would end both."""
    target = Target()
    target.offered(CONTENT)
    target.piece(0, CONTENT[:PIECE_BYTES])
    target.offered(CONTENT)
    assert all(not finished for *_, finished in target.acks())
    target.whole(CONTENT)

    assert [meta.index for meta in target.installs] == [INDEX]


def test_who_offers_during_an_install_is_answered_after_it() -> None:
    """It sends nothing else to us until then."""
    target = Target()
    target.offered(CONTENT)
    target.whole(CONTENT)
    target.offered(CONTENT, peer="c", index=INDEX + 9)
    before = len(target.acks())
    target.receiver.installed()

    assert target.acks()[before:] == [
        ("a", INDEX, 0, True),
        ("c", INDEX + 9, 0, True),
    ]


def test_a_damaged_snapshot_is_rejected_and_its_sender_told() -> None:
    """The peer's fault: our own disk is as before, and the next offer is taken."""
    target = Target()
    damaged = CONTENT[:500] + bytes(5) + CONTENT[505:]
    target.offered(CONTENT)
    target.whole(damaged)
    assert target.receiver.rejected == 1
    assert target.installs == []
    assert target.failures == []
    assert target.acks()[-1] == ("a", INDEX, 0, True)
    target.offered(CONTENT)
    target.whole(CONTENT)

    assert [meta.index for meta in target.installs] == [INDEX]


def _fails_with(target: Target, code: int) -> None:
    def fail(operation: str) -> None:
        raise OSError(code, operation)

    target.files.on_operation = fail
    target.piece(0, CONTENT[:PIECE_BYTES])
    target.files.on_operation = lambda _: None


def test_a_full_disk_pauses_transfers_and_ends_nothing() -> None:
    """A replica without room for a snapshot is behind, not broken."""
    target = Target()
    target.offered(CONTENT)
    _fails_with(target, errno.ENOSPC)
    answered = len(target.acks())
    target.offered(CONTENT)
    assert target.failures == []
    assert len(target.acks()) == answered
    target.clock.advance(FULL_PAUSE_S + 0.1)
    target.offered(CONTENT)

    assert target.acks()[-1] == ("a", INDEX, 0, False)


def test_a_broken_disk_ends_the_replica() -> None:
    """What it holds of the log may be as broken."""
    target = Target()
    target.offered(CONTENT)
    _fails_with(target, errno.EIO)

    assert [type(error) for error in target.failures] == [OSError]


def test_a_lost_link_ends_what_is_incomplete() -> None:
    """Only its own transfer; the part of a file is removed."""
    target = Target()
    target.offered(CONTENT)
    target.piece(0, CONTENT[:PIECE_BYTES])
    target.receiver.on_disconnected("c")
    assert target.files.names() != []
    target.receiver.on_disconnected("a")

    assert target.files.names() == []


def test_a_lost_link_does_not_end_an_install() -> None:
    """It is whole: nothing more is needed of its sender."""
    target = Target()
    target.offered(CONTENT)
    target.whole(CONTENT)
    target.receiver.on_disconnected("a")
    target.receiver.installed()

    assert target.acks()[-1] == ("a", INDEX, 0, True)
