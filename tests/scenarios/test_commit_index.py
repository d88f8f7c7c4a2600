"""The persisted commit index never lies beyond the log.

A power cut left a commit index of 28 over a log of two entries. The library believes
it, and a new leader acknowledges on its own whatever gets an index below.
"""

from typing import Any

from cluster.raft.core import RaftCore
from cluster.raft.recovery import Recovery
from cluster.storage.records import Commit, HardState
from cluster.storage.wal import Wal
from tests.scenarios.support_actor import Attempt, HandNode
from tests.scenarios.support_stage import Stage


class BelievesTheDisk(HandNode):
    """As released: the commit index is taken as it was found."""

    def __init__(
        self,
        config: Any,
        surroundings: Any,
        ledger: Any,
        recovery: Recovery,
        *rest: Any,
    ) -> None:
        recovery.journal._commit_index = 28
        super().__init__(config, surroundings, ledger, recovery, *rest)


class AppliesWhatIsThere(RaftCore):
    """As released: entries are applied up to the commit index or the log's end."""

    def _SyncObj__applyLogEntries(self) -> bool:  # noqa: N802
        commit = self._SyncObj__raftCommitIndex
        self._SyncObj__raftCommitIndex = min(commit, self._journal.last_index)
        try:
            return super()._SyncObj__applyLogEntries()
        finally:
            self._SyncObj__raftCommitIndex = commit


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """Return the stage when A leads by B's vote, and hears nothing since."""
    stage = await Stage.open("abc", lacking=lacking)
    actor = stage["a"]
    actor.sync()
    actor.kill()
    wal, _ = Wal.recover(actor.files)
    wal.write([HardState(3, None), Commit(28)])
    wal.close()
    await stage.restart("a")
    stage.elect("a", "b")
    assert stage["a"].leads
    stage.isolate("a")
    attempt = stage["a"].propose(b"x")
    stage.tick("a")
    stage.tick("a")
    return stage, attempt


async def test_a_commit_index_beyond_the_log_is_cut_down() -> None:
    """A leader alone acknowledges nothing."""
    stage, attempt = await _play()

    assert not attempt.acknowledged()
    assert stage["a"].commit < stage["a"].last


async def test_without_the_bound_a_leader_acknowledges_alone() -> None:
    """The defect: "x" is acknowledged, and only A has it."""
    stage, attempt = await _play(BelievesTheDisk, AppliesWhatIsThere)
    assert attempt.acknowledged()
    stage["a"].kill()
    stage.elect("b", "c")
    stage.run(among="bc")

    assert stage.states() == {"b": [], "c": []}
