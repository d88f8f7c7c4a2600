"""Votes and acks leave only when what they promise is on disk (the outbox)."""

from cluster.raft.outbox import Outbox
from cluster.raft.wire import Ack, Message, RequestVote, Vote
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class HastyOutbox(Outbox):
    """As released: nothing waits for a sync, and nothing is synced."""

    def send_when_synced(self, peer: str, message: Message) -> bool:
        """Send at once."""
        return self.send(peer, message)


async def _vote(*lacking: type) -> Stage:
    """C votes for A in term 1, loses its power, and is asked by B in term 1."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.cut("a", "b")
    stage["c"].log_worker.eager = False
    stage["a"].tick(campaign=True)
    stage.deliver("a", "c")
    stage["c"].sync()  # its own start, and the pre-vote
    stage.deliver("c", "a")
    stage["a"].tick()
    stage.deliver("a", "c")
    stage.deliver("c", "a")
    await stage.restart("c", power=True)
    stage.cut("a", "c")
    stage.elect("b", "c")
    return stage


async def test_a_vote_leaves_when_it_is_on_disk() -> None:
    """A vote that can be forgotten must never have been counted."""
    stage = await _vote()

    assert stage.leaders() == ["b"]


async def test_without_the_outbox_one_term_has_two_leaders() -> None:
    """The defect: C votes twice in term 1."""
    stage = await _vote(HastyOutbox)

    assert stage.leaders() == ["a", "b"]
    assert stage["a"].term == stage["b"].term == 1


async def test_a_held_vote_leaves_right_after_its_sync() -> None:
    """Nothing but the disk was missing."""
    stage = await Stage.open("abc")
    stage["a"].tick(campaign=True)
    stage.ask("a", "c")
    stage["a"].tick()
    stage["c"].log_worker.eager = False
    stage.deliver("a", "c")
    assert stage.peek("c", "a") == []
    stage["c"].sync()

    assert stage.peek("c", "a") == [Vote(1)]


async def _ack(*lacking: type) -> tuple[Stage, Attempt]:
    """B takes an entry, is cut from its power, and A dies."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.isolate("c")
    stage["b"].log_worker.eager = False
    attempt = stage["a"].propose(b"x")
    stage.tick("a")
    stage.deliver("a", "b")
    stage.deliver("b", "a")
    stage.tick("a", 0.0)
    return stage, attempt


async def test_an_ack_leaves_when_the_entry_is_on_disk() -> None:
    """What is acknowledged survives the power of a majority's hosts."""
    stage, attempt = await _ack()
    assert not attempt.acknowledged()
    assert Ack not in map(type, stage.peek("b", "a"))
    stage["b"].sync()
    stage.deliver("b", "a")
    stage.tick("a", 0.0)

    assert attempt.acknowledged()


async def test_without_the_outbox_an_acknowledged_write_is_lost() -> None:
    """The defect: B acked what its disk never got."""
    stage, attempt = await _ack(HastyOutbox)
    assert attempt.acknowledged()
    stage["a"].kill()
    stage.isolate("a")
    await stage.restart("b", power=True)
    stage.link("b", "c")
    stage.elect("b", "c")
    stage.run(among="bc")

    assert stage["b"].leads
    assert stage.states() == {"b": [], "c": []}


async def test_a_candidate_asks_when_its_own_vote_is_on_disk() -> None:
    """Its term, and that it voted for itself, must not be forgotten either."""
    stage = await Stage.open("abc")
    stage["a"].tick(campaign=True)
    stage.deliver("a", "b")
    stage["a"].log_worker.eager = False
    stage.deliver("b", "a")
    assert stage["a"].term == 1
    assert stage.peek("a", "b") == []
    stage["a"].sync()

    assert [type(message) for message in stage.peek("a", "b")] == [RequestVote]
