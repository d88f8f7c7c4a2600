"""P3: while a snapshot is on its way, the commit index does not move over a tail that
nobody compared.

A, a leader cut off, holds five writes that can never commit. B leads on and has
compacted its log, so A needs B's snapshot.
"""

from cluster.raft.gateway import Gateway
from cluster.raft.wire import SnapshotOffer
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class CommitsWhileReceiving(Gateway):
    """As released: each piece carries the commit index, which is obeyed at once."""

    def _on_offer(self, peer: str, message: SnapshotOffer) -> None:
        super()._on_offer(peer, message)
        core = self._node.core
        last = self._node.journal.last_index
        core._SyncObj__raftCommitIndex = max(
            core.raftCommitIndex, min(message.index, last)
        )


async def _play(*lacking: type) -> tuple[Stage, list[Attempt]]:
    """Return the stage when the first piece of B's snapshot is under way."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.isolate("a")
    dirty = [stage["a"].propose(b"dirty%d" % number) for number in range(5)]
    stage.tick("a")
    stage.elect("b", "c")
    for number in range(30):
        stage["b"].propose(b"good%d" % number)
    stage.run(among="bc")
    stage["b"].node.compaction.make()
    assert stage["b"].log[0][0] > stage["a"].last
    stage.link("a", "b")
    for _ in range(4):  # until the library has found that its log does not reach back
        stage.tick("b")
        stage.deliver("b", "a")
        if stage["b"].node.sender.is_receiving("a"):
            break
        stage.deliver("a", "b")
    stage.tick("b")
    stage.deliver("b", "a")
    stage.tick("a")
    return stage, dirty


async def test_a_tail_is_not_committed_while_a_snapshot_arrives() -> None:
    """Nothing of it was ever committed, so nobody may read or acknowledge it."""
    stage, dirty = await _play()

    assert not any(attempt.acknowledged() for attempt in dirty)
    assert stage["a"].machine.commands == []


async def test_without_the_repair_uncommitted_writes_are_acknowledged() -> None:
    """The defect: five writes that only A ever had are told to be done."""
    stage, dirty = await _play(CommitsWhileReceiving)

    assert all(attempt.acknowledged() for attempt in dirty)
    assert not any(c.startswith(b"dirty") for c in stage["b"].machine.commands)
