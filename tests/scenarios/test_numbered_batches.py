"""A batch is proposed until its outcome is known, and applied once (I6)."""

from collections import OrderedDict

from cluster.ledger import BatchResult, Ledger
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class NumbersDoNotCount(Ledger):
    """Without the repair: each entry is a new one."""

    def _session(self, _: str, __: bytes) -> OrderedDict[int, BatchResult]:
        return OrderedDict()


async def _play(*lacking: type) -> tuple[Stage, Attempt, Attempt]:
    """B's batch is in the log; the answer got lost, so B proposes it again."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    first = stage["b"].propose(b"x", b"y")
    stage.tick("b")
    stage.deliver("b", "a")
    stage.clear()
    again = stage["b"].submit(Attempt(b"xy", first.payload))
    stage.run()
    return stage, first, again


async def test_a_batch_that_is_in_the_log_twice_is_applied_once() -> None:
    """The second copy answers what the first one did, with its place."""
    stage, first, again = await _play()

    assert all(state == [b"x", b"y"] for state in stage.states().values())
    assert not first.acknowledged()
    assert again.result is not None
    assert again.result.index == 3
    assert again.result.outcomes == [b"x", b"y"]


async def test_without_numbers_a_retry_applies_it_twice() -> None:
    """The defect: one request of a client, done twice."""
    stage, _, _ = await _play(NumbersDoNotCount)

    assert all(state == [b"x", b"y"] * 2 for state in stage.states().values())


async def test_a_snapshot_between_the_copies_changes_nothing() -> None:
    """Numbers are part of the replicated state, so of its snapshots."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    first = stage["a"].propose(b"x")
    stage.run()
    for actor in stage.actors.values():
        actor.node.compaction.make()
    for name in "abc":
        await stage.restart(name)
    stage.elect("b", "a", "c")
    again = stage["b"].submit(Attempt(b"x", first.payload))
    stage.run()

    assert again.result == first.result
    assert all(state == [b"x"] for state in stage.states().values())
