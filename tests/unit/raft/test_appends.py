"""Appends: a window of bytes per follower, opened by its answers."""

from cluster.entry import NO_OP, REGULAR
from cluster.raft.appends import MESSAGE_BYTES, WINDOW_BYTES, Appends
from cluster.raft.journal import RaftJournal
from cluster.raft.outbox import Outbox
from cluster.raft.wire import Append, Message

ENTRY_BYTES = MESSAGE_BYTES // 4


class Leader:
    """Appends over a journal of large entries."""

    def __init__(self, last: int, first: int = 1) -> None:
        journal = RaftJournal([(NO_OP, first, 1)], 1, None, 1)
        for index in range(first + 1, last + 1):
            journal.add(REGULAR + bytes(ENTRY_BYTES), index, 1)
        self.sent: list[Append] = []
        self.offers: list[str] = []
        self.receiving = False
        self.appends = Appends(
            journal,
            Outbox(journal, self.put),
            offer_snapshot=self.offers.append,
            is_receiving=lambda _: self.receiving,
        )

    def put(self, _: str, message: Message) -> bool:
        """Note it."""
        assert isinstance(message, Append)
        self.sent.append(message)
        return True

    def send(self, next_index: int, *, alive: bool = True) -> int:
        """Send to b."""
        return self.appends.send("b", next_index, 1, 1, alive=alive)

    def sent_bytes(self) -> int:
        """Return the bytes of all entries sent."""
        return sum(len(c) for append in self.sent for c, _, _ in append.entries)


def test_entries_are_sent_in_messages_of_bounded_size() -> None:
    """In order, each behind the one before."""
    leader = Leader(10)
    assert leader.send(2) == 11

    indexes = [index for append in leader.sent for _, index, _ in append.entries]
    assert indexes == list(range(2, 11))
    assert all(
        sum(len(c) for c, _, _ in a.entries) <= MESSAGE_BYTES for a in leader.sent
    )
    assert [append.seq for append in leader.sent] == [1, 2, 3]


def test_no_more_than_the_window_is_unanswered() -> None:
    """More than a link buffers would end the link, for ever."""
    leader = Leader(100)
    next_index = leader.send(2)
    again = leader.send(next_index, alive=False)

    assert again == next_index < 100
    assert WINDOW_BYTES <= leader.sent_bytes() < WINDOW_BYTES + MESSAGE_BYTES


def test_an_answer_opens_the_window_again() -> None:
    """Until the follower has all."""
    leader = Leader(100)
    next_index = leader.send(2)
    while next_index <= 100:
        leader.appends.answered("b", next_index)
        before = next_index
        next_index = leader.send(next_index, alive=False)
        assert next_index > before

    assert leader.sent[-1].entries[-1][1] == 100


def test_a_full_window_still_shows_a_sign_of_life() -> None:
    """The follower must not begin an election because it is slow."""
    leader = Leader(100)
    next_index = leader.send(2)
    leader.sent.clear()
    leader.send(next_index)

    assert [append.entries for append in leader.sent] == [[]]
    assert leader.sent[0].prev_index == next_index - 1


def test_what_is_forgotten_takes_no_room() -> None:
    """Its link broke: nothing of it will be answered."""
    leader = Leader(100)
    leader.send(2)
    leader.appends.forget("b")
    before = leader.sent_bytes()
    leader.send(2)

    assert leader.sent_bytes() == 2 * before


def test_a_peer_behind_the_log_is_offered_a_snapshot() -> None:
    """Its answer to the sign of life rewinds the next index."""
    leader = Leader(20, first=10)

    assert leader.send(10) == 21
    assert leader.offers == ["b"]
    assert [append.entries for append in leader.sent] == [[]]


def test_no_entries_beside_a_snapshot() -> None:
    """They would only be refused; signs of life go on."""
    leader = Leader(20)
    leader.receiving = True

    assert leader.send(5) == 5
    assert [append.entries for append in leader.sent] == [[]]


def test_a_single_large_entry_goes_alone() -> None:
    """Whatever its size, it must get there."""
    leader = Leader(1)
    journal = leader.appends._journal
    journal.add(REGULAR + bytes(2 * MESSAGE_BYTES), 2, 1)
    journal.add(REGULAR, 3, 1)
    leader.send(2)

    assert [len(append.entries) for append in leader.sent] == [1, 1]
