"""The outbox: promises wait for their sync, everything keeps its order per peer."""

from cluster.entry import NO_OP
from cluster.raft.journal import RaftJournal
from cluster.raft.outbox import MAX_HELD, Outbox
from cluster.raft.wire import Ack, Append, Forward, Message, TimeoutNow, Vote


class Post:
    """Everything that left, and the journal that it waits for."""

    def __init__(self) -> None:
        self.journal = RaftJournal([(NO_OP, 1, 0)], 1, None, 1)
        self.left: list[tuple[str, Message]] = []
        self.outbox = Outbox(self.journal, self.put)
        self.sync()

    def put(self, peer: str, message: Message) -> bool:
        """Note what leaves."""
        self.left.append((peer, message))
        return True

    def sync(self) -> None:
        """Let the disk take what the journal holds."""
        _, token = self.journal.take()
        self.journal.synced(token)
        self.outbox.on_synced()


def append(commit: int = 1, *indexes: int) -> Append:
    """Return an append with entries at ``indexes``."""
    entries = [(b"\x00x", index, 1) for index in indexes]
    return Append(1, commit, 1, 0, commit, entries)


def test_a_vote_waits_until_it_is_on_disk() -> None:
    """Else a power cut makes the replica vote twice."""
    post = Post()
    post.journal.setCurrentTerm(2, "b")
    post.outbox.send_when_synced("b", Vote(2))
    assert post.left == []
    post.sync()

    assert post.left == [("b", Vote(2))]


def test_nothing_waits_when_nothing_is_pending() -> None:
    """A heartbeat's ack promises what was synced long ago."""
    post = Post()
    post.outbox.send_when_synced("b", Ack(1, 2, False, True, 1))

    assert len(post.left) == 1


def test_what_is_held_keeps_its_order() -> None:
    """A message without records of its own does not overtake one that waits."""
    post = Post()
    post.journal.setCurrentTerm(2, "b")
    post.outbox.send_when_synced("b", Vote(2))
    _, token = post.journal.take()
    post.journal.synced(token)  # the mark has moved, the outbox was not told yet
    post.outbox.send_when_synced("b", Ack(2, 2, False, True, 1))
    assert post.left == []
    post.outbox.on_synced()

    assert [type(message) for _, message in post.left] == [Vote, Ack]


def test_a_sync_lets_go_only_what_it_covers() -> None:
    """Records that came while it ran are in the next one."""
    post = Post()
    post.journal.setCurrentTerm(2, "b")
    post.outbox.send_when_synced("b", Vote(2))
    _, token = post.journal.take()
    post.journal.add(b"\x00x", 2, 2)
    post.outbox.send_when_synced("c", Ack(2, 3, False, True, 1))
    post.journal.synced(token)
    post.outbox.on_synced()
    assert [peer for peer, _ in post.left] == ["b"]
    post.sync()

    assert [peer for peer, _ in post.left] == ["b", "c"]


def test_appends_leave_while_the_own_sync_runs() -> None:
    """One sync per commit instead of two: acks are held back instead."""
    post = Post()
    post.journal.add(b"\x00x", 2, 1)
    post.outbox.send("b", append(1, 2))

    assert post.left == [("b", append(1, 2))]


def test_what_promises_nothing_does_not_wait() -> None:
    """A forwarded command should not pay for this replica's disk."""
    post = Post()
    post.journal.add(b"\x00x", 2, 1)
    for message in (Forward(1, b"\x00x"), TimeoutNow(1)):
        post.outbox.send_when_synced("b", message)

    assert [type(message) for _, message in post.left] == [Forward, TimeoutNow]


def test_entries_displace_the_empty_append_before_them() -> None:
    """The library sends both in one tick; the later says all that the earlier did."""
    post = Post()
    post.outbox.begin_tick()
    post.outbox.send("b", append(1))
    post.outbox.send("b", append(2, 2))
    post.outbox.send("b", append(3))
    post.outbox.send("b", append(4))
    assert post.left == []
    post.outbox.end_tick()

    assert post.left == [("b", append(2, 2)), ("b", append(4))]


def test_an_append_with_entries_is_never_displaced() -> None:
    """Nothing else carries them."""
    post = Post()
    post.outbox.begin_tick()
    post.outbox.send("b", append(1, 2))
    post.outbox.send("b", append(2, 3))
    post.outbox.end_tick()

    assert len(post.left) == 2


def test_what_is_held_is_bounded() -> None:
    """A disk that stalls must not fill the memory; Raft repeats what matters."""
    post = Post()
    post.journal.setCurrentTerm(2, None)
    for seq in range(MAX_HELD + 5):
        post.outbox.send_when_synced("b", Ack(2, 2, False, False, seq))
    post.sync()

    assert len(post.left) == MAX_HELD
    assert post.left[-1][1] == Ack(2, 2, False, False, MAX_HELD + 4)
