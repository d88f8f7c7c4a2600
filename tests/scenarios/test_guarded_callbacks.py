"""A mistake in a callback ends the replica, instead of leaving it half alive.

The mistake here: the leader's journal fails to note its syncs.
"""

from collections.abc import Callable
from typing import TypeVar

from cluster.guard import GuardedWorker
from cluster.raft.journal import RaftJournal
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage

T = TypeVar("T")


class Mistaken(RaftJournal):
    """A journal with a mistake in it."""

    def synced(self, token: tuple[int, int, int]) -> None:
        """Fail."""
        raise KeyError(token)


class Unguarded(GuardedWorker):
    """Without the guard: the event loop logs what a callback raises, and goes on."""

    def submit(
        self,
        job: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Hand the callbacks on as they are."""
        self._worker.submit(job, done, failed)


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """Return the stage some time after the leader's journal began to fail."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage["a"].node.journal.__class__ = Mistaken
    attempt = stage["a"].propose(b"x")
    stage.run(30)
    return stage, attempt


async def test_a_callback_that_raises_ends_the_replica() -> None:
    """It says why, and the others go on with what it had sent."""
    stage, _ = await _play()
    assert "KeyError" in stage["a"].died
    assert stage["a"].log_worker.logged == []
    stage.isolate("a")
    stage.elect("b", "c")
    after = stage["b"].propose(b"y")
    stage.run(among="bc")

    assert after.acknowledged()
    assert stage.states() == {"b": [b"x", b"y"], "c": [b"x", b"y"]}


async def test_without_the_guard_a_leader_leads_that_answers_nothing() -> None:
    """The defect: its signs of life go on, so nobody takes its place; nobody is
    told.
    """
    stage, attempt = await _play(Unguarded)
    later = stage["b"].propose(b"y")
    stage.run(30)

    assert [type(error) for error in stage["a"].log_worker.logged] != []
    assert stage["a"].died == ""
    assert stage.leaders() == ["a"]
    assert not attempt.acknowledged()
    assert not later.acknowledged()
    assert stage.states() == {"a": [], "b": [], "c": []}
