"""A leader counts its own copy of an entry only when that copy is on its disk."""

from cluster.raft.core import RaftCore
from cluster.raft.journal import RaftJournal
from cluster.raft.transport import RaftTransport
from cluster.raft.wire import Ack
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class _Pretence:
    """For as long as it is entered, everything in memory counts as synced."""

    def __init__(self, journal: RaftJournal) -> None:
        self._journal = journal
        self._durable = journal.durable_index

    def __enter__(self) -> None:
        self._journal.durable_index = self._journal.last_index

    def __exit__(self, *_: object) -> None:
        self._journal.durable_index = self._durable


class MemoryCountsTransport(RaftTransport):
    """As released: a follower's ack counts beside the leader's own unsynced copy."""

    def on_ack(self, peer: str, ack: Ack) -> None:
        """Hold nothing back."""
        with _Pretence(self._journal):
            super().on_ack(peer, ack)


class MemoryCountsCore(RaftCore):
    """As released: what the leader has in memory is applied and answered."""

    def _SyncObj__applyLogEntries(self) -> bool:  # noqa: N802
        with _Pretence(self._journal):
            return super()._SyncObj__applyLogEntries()


WITHOUT = (MemoryCountsTransport, MemoryCountsCore)


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """Return the stage when B has acked what A has not synced."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.isolate("c")
    stage["a"].log_worker.eager = False
    attempt = stage["a"].propose(b"x")
    stage.tick("a")
    stage.deliver("a", "b")
    assert stage["b"].last == 3  # appends leave while the leader's own sync runs
    stage.deliver("b", "a")
    stage.tick("a", 0.0)
    return stage, attempt


async def test_an_ack_waits_for_the_leaders_own_sync() -> None:
    """One sync per commit is enough, but the leader's must be among them."""
    stage, attempt = await _play()
    assert not attempt.acknowledged()
    stage["a"].sync()
    stage.tick("a", 0.0)

    assert attempt.acknowledged()


async def test_a_held_ack_is_still_a_sign_of_life() -> None:
    """A slow disk must not look like silent followers."""
    stage, _ = await _play()
    answered = stage["a"].core._SyncObj__lastResponseTime
    peer = stage["a"].node.transport.nodes["b"]

    assert answered[peer] > stage.clock.now_s() - 0.01


async def test_without_the_repair_an_acknowledged_write_dies_with_two_disks() -> None:
    """The defect: acknowledged with one synced copy; that one is lost, and A's never
    was.
    """
    stage, attempt = await _play(*WITHOUT)
    assert attempt.acknowledged()
    stage["b"].kill()  # its disk is gone for good
    stage.isolate("b")
    await stage.restart("a", power=True)
    stage.elect("a", "c")
    stage.run(among="ac")

    assert stage["a"].leads
    assert stage.states() == {"a": [], "c": []}


async def _alone(*lacking: type) -> tuple[Stage, Attempt]:
    stage = await Stage.open("a", lacking=lacking)
    stage["a"].tick(campaign=True)
    stage.run()
    assert stage["a"].leads
    stage["a"].log_worker.eager = False
    attempt = stage["a"].propose(b"x")
    stage.tick("a")
    stage.tick("a")
    return stage, attempt


async def test_a_cluster_of_one_acknowledges_only_what_is_synced() -> None:
    """Nobody else has a copy."""
    stage, attempt = await _alone()
    assert not attempt.acknowledged()
    assert stage["a"].machine.commands == []
    stage["a"].sync()
    stage.tick("a", 0.0)
    assert attempt.acknowledged()
    await stage.restart("a", power=True)
    stage["a"].tick(campaign=True)
    stage.run()

    assert stage["a"].machine.commands == [b"x"]


async def test_without_the_repair_a_cluster_of_one_forgets() -> None:
    """The defect: acknowledged, and gone with the power."""
    stage, attempt = await _alone(*WITHOUT)
    assert attempt.acknowledged()
    await stage.restart("a", power=True)
    stage["a"].tick(campaign=True)
    stage.run()

    assert stage["a"].machine.commands == []
