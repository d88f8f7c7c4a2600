"""What an answer's listener does wrong never applies an entry twice.

The library answers before it moves its index: an exception in a callback leaves the
entry to be applied again, on that replica only.
"""

from cluster.flight import Verdict
from cluster.ledger import BatchResult
from cluster.raft.core import RaftCore
from tests.scenarios.support_actor import Attempt, HandNode
from tests.scenarios.support_stage import Stage


class AnswersFirst(RaftCore):
    """As released: the index moves when everybody was answered."""

    def _SyncObj__applyLogEntries(self) -> bool:  # noqa: N802
        before = self._SyncObj__raftLastApplied
        try:
            return super()._SyncObj__applyLogEntries()
        except LookupError:
            self._SyncObj__raftLastApplied = before
            raise


class GoesOn(HandNode):
    """As released: what a tick raises is logged, and the next tick tries again."""

    def turn(self) -> None:
        """Take a turn, whatever it raises."""
        self.writer.write()
        try:
            self._tick()
        except LookupError:
            self.reported = True
        self.writer.write()


class Breaking(Attempt):
    """A proposal whose listener raises."""

    def answer(self, verdict: Verdict, result: BatchResult | None) -> None:
        """Take the answer, then break."""
        super().answer(verdict, result)
        raise LookupError("the listener's mistake")


async def _play(*lacking: type) -> Stage:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    payload = stage["a"].propose(b"x").payload
    stage["a"].core._SyncObj__commandsQueue.get_nowait()  # it never asked
    stage["a"].submit(Breaking(b"x", payload))
    stage.run()
    return stage


async def test_a_listener_that_raises_costs_the_replica_not_the_state() -> None:
    """Applied once everywhere; the replica ends rather than go on in doubt."""
    stage = await _play()
    assert "listener's mistake" in stage["a"].died
    assert stage["a"].machine.commands == [b"x"]
    await stage.restart("a")
    stage.step_down("b")
    stage.elect("b", "a", "c")
    stage.run()

    assert all(state == [b"x"] for state in stage.states().values())


async def test_without_the_order_the_entry_is_applied_again() -> None:
    """The defect: this replica's index goes back behind what its state contains; only
    the numbers of batches keep the state itself from doubling.
    """
    stage = await _play(AnswersFirst, GoesOn)

    assert stage["a"].listener.applied_indexes.count(3) == 2
    assert stage["b"].listener.applied_indexes.count(3) == 1
    assert stage["a"].node.ledger.duplicates == 1
