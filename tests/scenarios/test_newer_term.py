"""A leader of an old term is told that there is a newer one.

C won an election that nobody heard the end of: its term is above A's, whose appends it
must not take. The library stays silent, so neither side ever learns.
"""

from cluster.raft import wire
from cluster.raft.gateway import Gateway
from tests.scenarios.support_stage import Stage


class SilentGateway(Gateway):
    """As released: an append of an old term is ignored."""

    def _on_append(self, peer: str, message: wire.Append) -> None:
        if message.term >= int(self._node.core.raftCurrentTerm):
            super()._on_append(peer, message)


async def _play(*lacking: type) -> Stage:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.clock.advance(1.0)
    stage["c"].tick(campaign=True)
    stage.ask("c", "b")
    stage["c"].tick()
    stage.clear()
    assert (stage["a"].term, stage["c"].term) == (1, 2)
    for _ in range(5):
        stage.tick("a")
        stage.ask("a", "b", "c")
        stage.drop("c", "a", wire.PreVote)
        stage["c"].tick(campaign=True)
        stage.ask("c", "b", "a")
    return stage


async def test_a_leader_of_an_old_term_is_told_and_steps_down() -> None:
    """The next election has everybody in it again: here C wins it."""
    stage = await _play()
    assert stage.leaders() == ["c"]
    stage["c"].propose(b"x")
    stage.run()

    assert all(state == [b"x"] for state in stage.states().values())


async def test_without_the_answer_the_replica_is_left_out_for_ever() -> None:
    """The defect: with pre-vote, C is neither heard nor does it hear A."""
    stage = await _play(SilentGateway)
    assert stage.leaders() == ["a"]
    stage["a"].propose(b"x")
    stage.run(50)

    assert stage["b"].machine.commands == [b"x"]
    assert stage["c"].machine.commands == []
    assert (stage["a"].term, stage["c"].term) == (1, 2)


async def test_a_leader_keeps_its_term_whatever_a_pre_vote_is_answered() -> None:
    """Only an answer to its own append makes a leader step down: else a late answer to
    a pre-vote of its former self would.
    """
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage["a"].node.election.on_newer_term("b", wire.NewerTerm(7, to_append=False))

    assert stage.leaders() == ["a"]
    assert stage["a"].term == 1
