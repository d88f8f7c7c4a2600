"""A replica that comes back with an empty disk does not vote as if it never had.

A and B acknowledged "x"; C has not heard of it. Then A is gone, and B's disk is new.
"""

from cluster.identity import Standing
from cluster.raft.founding import Founding
from cluster.raft.transport import RaftTransport
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class ForgetfulFounding(Founding):
    """Without the guard: an empty disk comes in with all rights."""

    def on_cluster_seen(self, cluster_id: str, term: int) -> None:
        """Be a member at once."""
        me = self._current()
        if me.standing is Standing.EMPTY and cluster_id:
            self._become(me, cluster_id, Standing.MEMBER, "joining with an empty disk")


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.isolate("c")
    attempt = stage["a"].propose(b"x")
    stage.run(among="ab")
    assert attempt.acknowledged()
    stage["a"].kill()
    stage.isolate("a")
    stage["b"].wipe()
    await stage["b"].start()
    assert stage.standing("b") is Standing.EMPTY
    stage.link("b", "c")
    stage.run(among="bc")
    stage.elect("c", "b")
    stage.run(among="bc")
    return stage, attempt


async def test_a_wiped_replica_does_not_vote() -> None:
    """It may have acknowledged what the candidate lacks, and it had."""
    stage, _ = await _play()

    assert stage.standing("b") is Standing.JOINING
    assert stage.leaders() == []


async def test_with_the_vote_of_a_wiped_replica_a_write_is_lost() -> None:
    """The defect: C is elected without "x", which was acknowledged."""
    stage, attempt = await _play(ForgetfulFounding)

    assert attempt.acknowledged()
    assert stage.leaders() == ["c"]
    assert stage.states() == {"b": [], "c": []}


async def test_a_wiped_replica_does_not_campaign() -> None:
    """Nor may it lead."""
    stage, _ = await _play()
    stage.clock.advance(1.0)
    stage["b"].tick(campaign=True)

    assert stage.peek("b", "c") == []


async def test_a_wiped_replica_comes_in_by_catching_up() -> None:
    """With a leader, it takes the log, and then votes again, in later terms only."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage["a"].propose(b"x")
    stage.run()
    stage["b"].wipe()
    await stage.restart("b")
    stage.run()
    assert stage["b"].machine.commands == [b"x"]
    assert stage.standing("b") is Standing.JOINING
    await stage["b"].node.membership.become_member(stage["b"].core)

    assert stage.standing("b") is Standing.MEMBER
    assert stage["b"].node.journal.getVotedForNodeId() == "a"
    stage.clear()
    stage.step_down("a")
    assert stage.elect("c", "b").leads


class RemembersAcks(RaftTransport):
    """Without the guard: an ack counts whatever became of its sender's disk."""

    def forget_acks(self, peer: str) -> None:
        """Forget nothing."""


async def _five(*lacking: type) -> tuple[Stage, Attempt]:
    """B acks and is wiped; then D acks: A and D hold the entry, of five."""
    stage = await Stage.open("abcde", lacking=lacking)
    stage.elect("a", "b", "c", "d", "e")
    stage.run()
    stage.isolate("c")
    stage.isolate("e")
    attempt = stage["a"].propose(b"x")
    stage.tick("a")
    stage.ask("a", "b")
    stage["b"].wipe()
    stage.cut("a", "b")
    await stage["b"].start()
    stage.link("a", "b")
    stage.deliver("a", "d")
    stage.deliver("d", "a")
    stage.tick("a", 0.0)
    return stage, attempt


async def test_the_acks_of_a_former_life_count_no_more() -> None:
    """Two of five hold the entry."""
    _, attempt = await _five()

    assert not attempt.acknowledged()


async def test_with_old_acks_a_minority_acknowledges() -> None:
    """The defect: what B acked is not on its disk any more."""
    stage, attempt = await _five(RemembersAcks)

    assert attempt.acknowledged()
    holders = [n for n in "abcde" if stage[n].node.journal.last_index >= 3]
    assert holders == ["a", "d"]
