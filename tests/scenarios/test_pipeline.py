"""P7: an ack never rewinds the pipeline, so nothing is sent twice without a fault."""

from cluster.raft.transport import RaftTransport
from cluster.raft.wire import Ack, Append
from tests.scenarios.support_stage import Stage


class RewindingAcks(RaftTransport):
    """As released: each ack sets the next index, though later entries are under way."""

    def on_ack(self, peer: str, ack: Ack) -> None:
        """Count it, and begin again behind it."""
        super().on_ack(peer, ack)
        if ack.success and self.core._isLeader():
            self.core._SyncObj__raftNextIndex[self.nodes[peer]] = ack.next_index


async def _play(*lacking: type) -> list[int]:
    """Return the indexes that A sends again once the first of three acks arrives."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.clear()
    for name in (b"one", b"two", b"three"):
        stage["a"].propose(name)
        stage.tick("a", 0.0)
    stage.deliver("a", "b")
    stage.deliver("b", "a", 1)
    stage.tick("a")
    return [
        index
        for message in stage.peek("a", "b")
        if isinstance(message, Append)
        for _, index, _ in message.entries
    ]


async def test_an_ack_does_not_send_what_is_under_way_again() -> None:
    """All three entries have been sent once."""
    assert await _play() == []


async def test_without_the_repair_every_ack_repeats_entries() -> None:
    """The defect: constant duplicates, each of which arms a truncation (P2)."""
    assert await _play(RewindingAcks) == [4, 5]
