"""Votes are counted by voter, not by message.

A link that is replaced may deliver a vote twice. The library counts messages.
"""

from cluster.raft.transport import RaftTransport
from cluster.raft.wire import Vote
from tests.scenarios.support_stage import Stage


class VotesByMessage(RaftTransport):
    """As released: each message is a vote."""

    def on_vote(self, peer: str, vote: Vote) -> None:
        """Count it."""
        self._pass(peer, "response_vote", term=vote.term)


async def _play(*lacking: type) -> Stage:
    """A gets B's vote twice; then E is elected in the same term by C, D and itself."""
    stage = await Stage.open("abcde", lacking=lacking)
    stage["a"].tick(campaign=True)
    stage.ask("a", "b", "c")
    stage["a"].tick()
    stage.deliver("a", "b")
    stage.wires.queues["b", "a"].append(stage.wires.queues["b", "a"][0])
    stage.deliver("b", "a")
    stage.clear()
    stage.isolate("a")
    stage.clock.advance(1.0)
    stage["e"].tick(campaign=True)
    stage.ask("e", "c", "d")
    stage["e"].tick()
    stage.ask("e", "c", "d")
    return stage


async def test_a_vote_that_arrives_twice_counts_once() -> None:
    """Two of five are no majority."""
    stage = await _play()

    assert stage.leaders() == ["e"]


async def test_counted_by_message_one_term_has_two_leaders() -> None:
    """The defect: A leads by two of five, E by the other three."""
    stage = await _play(VotesByMessage)

    assert stage.leaders() == ["a", "e"]
    assert stage["a"].term == stage["e"].term == 1
