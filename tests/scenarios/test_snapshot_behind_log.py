"""P6: a snapshot that the log already contains replaces nothing.

B holds and has acked two entries behind C's snapshot, but knows of no commit up to it;
C, whose next entry got lost, goes back to where B's commit index ends, finds its log
compacted, and offers the snapshot.
"""

from cluster.raft.compaction import Compaction
from cluster.raft.wire import SnapshotOffer
from cluster.storage.snapshot_file import SnapshotMeta
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class SnapshotsReplaceTheLog(Compaction):
    """As released: whatever is received replaces state and log."""

    def is_known(self, index: int, _: int) -> bool:
        """Look at the state only."""
        return bool(self._core.raftLastApplied >= index)

    def install(self, meta: SnapshotMeta) -> None:
        """Drop the log first, so that nothing of it is kept."""
        self._journal.reset(meta.index, meta.term)
        super().install(meta)


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """Return the stage after C died and A and B go on alone."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("c", "a", "b")
    stage.run()
    stage.isolate("a")
    stage.clear()
    for number in range(5):
        stage["c"].propose(b"early%d" % number)
    stage.tick("c", 0.0)
    stage["c"].propose(b"late")
    late = stage["c"].propose(b"last")
    stage.tick("c", 0.0)
    stage.deliver("c", "b")
    assert stage["b"].last == 9
    assert stage["b"].commit == 2
    stage.deliver("b", "c", 5)
    stage["c"].node.compaction.make()  # of the first five
    assert stage["c"].node.compaction.newest.index == 7
    stage.deliver("b", "c")
    stage.tick("c", 0.0)
    assert late.acknowledged()
    stage["c"].propose(b"never")
    stage.tick("c", 0.0)
    stage.clear()  # B never hears of it, nor of the commit
    offers = 0
    for _ in range(8):
        stage.tick("c")
        offers += any(type(m) is SnapshotOffer for m in stage.peek("c", "b"))
        stage.deliver("c", "b")
        await stage.breathe()
        if stage["b"].node.compaction.installs:
            break
        stage.deliver("b", "c")
    assert offers == 1
    stage["c"].kill()
    stage.isolate("c")
    stage.link("a", "b")
    stage.elect("b", "a")
    stage.run(among="ab")
    return stage, late


async def test_a_snapshot_does_not_drop_a_longer_log() -> None:
    """What B acked is still there when C is gone."""
    stage, _ = await _play()

    assert stage["b"].leads
    assert stage["b"].machine.commands[5:7] == [b"late", b"last"]
    assert stage["a"].machine.commands == stage["b"].machine.commands


async def test_without_the_repair_acknowledged_entries_are_forgotten() -> None:
    """The defect: C and B held "last", which was enough; then B forgot it."""
    stage, late = await _play(SnapshotsReplaceTheLog)

    assert late.acknowledged()
    assert b"last" not in stage["b"].machine.commands
    assert b"last" not in stage["a"].machine.commands


async def test_a_replica_without_the_log_takes_the_snapshot() -> None:
    """The same offer to one that does need it brings state and log together."""
    stage = await Stage.open("abc")
    stage.elect("c", "a", "b")
    stage.isolate("a")
    for number in range(5):
        stage["c"].propose(b"early%d" % number)
    stage.run(among="bc")
    stage["c"].node.compaction.make()
    stage["c"].propose(b"behind")
    stage.run(among="bc")
    stage.link("a", "c")
    await stage.run_with_tasks(12)

    assert stage["a"].machine.commands == stage["c"].machine.commands
    assert stage["a"].node.compaction.installs == 1
