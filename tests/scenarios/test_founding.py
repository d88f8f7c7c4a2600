"""A cluster begins once, by all of its members; empty disks found none over a survivor.

C holds "x". A and B, whose disks were replaced, are a majority and see each other only.
"""

from cluster.identity import Standing
from cluster.raft.founding import Founding
from cluster.raft.wire import FoundState
from tests.scenarios.support_stage import Stage


class SilenceIsEmptiness(Founding):
    """Without the guard: a majority of empty replicas is enough to found a cluster."""

    def tick(self, now_s: float) -> None:
        """Ask whoever is there."""
        really, everybody = self._connected, frozenset(self._current().members)
        self._connected = lambda: everybody
        super().tick(now_s)
        self._connected = really

    def on_state(self, peer: str, message: FoundState) -> None:
        """Take those out of reach for empty ones."""
        me = self._current()
        for silent in set(me.members) - self._connected() - {me.node_id}:
            self._answers[silent] = FoundState(message.round, "", 0)
        super().on_state(peer, message)


async def _play(*lacking: type) -> Stage:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("c", "a", "b")
    attempt = stage["c"].propose(b"x")
    stage.run()
    assert attempt.acknowledged()
    stage.isolate("c")
    for name in "ab":
        stage[name].wipe()
    stage.cut("a", "b")
    for name in "ab":
        await stage[name].start()
    stage.link("a", "b")
    stage.found("ab")
    return stage


async def test_a_majority_of_empty_disks_founds_nothing() -> None:
    """They wait for the third, and then come in to its cluster."""
    stage = await _play()
    assert stage.standing("a") is stage.standing("b") is Standing.EMPTY
    stage.link("a", "c")
    stage.link("b", "c")
    stage.run()

    assert stage.standing("a") is stage.standing("b") is Standing.JOINING
    assert stage["a"].node.identity.cluster_id == stage["c"].node.identity.cluster_id


async def test_without_the_rule_the_survivors_data_is_shut_out() -> None:
    """The defect: a new cluster that serves writes, and refuses the one with "x"."""
    stage = await _play(SilenceIsEmptiness)
    assert stage.standing("a") is stage.standing("b") is Standing.MEMBER
    stage.elect("a", "b")
    attempt = stage["a"].propose(b"y")
    stage.run(among="ab")

    assert attempt.acknowledged()
    assert stage["a"].machine.commands == [b"y"]
    assert stage.link("b", "c") == ["other_cluster", "other_cluster"]


async def test_all_empty_replicas_found_one_cluster() -> None:
    """Three disks, one cluster id, all of them members."""
    stage = await Stage.open("abc", founded="")
    stage.found("abc")

    assert {stage.standing(name) for name in "abc"} == {Standing.MEMBER}
    assert len({stage[name].node.identity.cluster_id for name in "abc"}) == 1
    assert stage.elect("b", "a", "c").leads


async def test_five_empty_replicas_wait_for_the_fifth() -> None:
    """Four of five say nothing about the disk of the fifth."""
    stage = await Stage.open("abcde", founded="")
    stage.isolate("e")
    stage.found("abcd")
    assert {stage.standing(name) for name in "abcd"} == {Standing.EMPTY}
    for name in "abcd":
        stage.link(name, "e")
    stage.found("abcde")

    assert {stage.standing(name) for name in "abcde"} == {Standing.MEMBER}
    assert len({stage[name].node.identity.cluster_id for name in "abcde"}) == 1


async def test_an_empty_replica_takes_no_part_in_raft() -> None:
    """Before founding it neither votes nor takes entries."""
    stage = await Stage.open("abc", founded="bc")
    stage.elect("b", "c")
    stage["a"].tick(campaign=True)
    stage.run()

    assert stage["a"].term == 0 or stage.standing("a") is Standing.JOINING
    assert stage.leaders() == ["b"]
