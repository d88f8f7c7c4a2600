"""P4: rewinds are numbered, and a follower names an index that must match.

A comes back with a tail of its own; what it lacks takes several appends. Each is
answered by a rewind, and of several the library obeys the last, which leads nowhere.
"""

from typing import Any

import msgspec

from cluster.raft.appends import MESSAGE_BYTES
from cluster.raft.core import RaftCore
from cluster.raft.transport import RaftTransport
from cluster.raft.wire import Ack
from tests.scenarios.support_stage import Stage

TAIL, BACKLOG = 3, 20
FILLING = b"." * (MESSAGE_BYTES // 8)
"""So the backlog takes several appends (and less than the window)."""


class UnnumberedRewinds(RaftTransport):
    """As released: every rewind is obeyed, and asks for the follower's own last + 1."""

    def on_ack(self, peer: str, ack: Ack) -> None:
        """Obey also what answers an append sent before the last rewind."""
        self._rewound_at.clear()
        super().on_ack(peer, ack)

    def _ack(self, message: dict[str, Any]) -> Ack:
        ack = super()._ack(message)
        if not ack.reset:
            return ack
        return msgspec.structs.replace(ack, next_index=message["next_node_idx"])


class SendsInTicks(RaftCore):
    """As released: an answer moves the next index, the next tick sends."""

    def continue_sending(self, _: str) -> None:
        """Wait for the tick."""


async def _play(rounds: int, *lacking: type) -> Stage:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    for number in range(TAIL):
        stage["a"].propose(b"tail%d" % number)
    stage.tick("a")
    stage.clear()
    stage.elect("b", "c")
    for number in range(BACKLOG):
        stage["b"].propose(b"good%d" % number + FILLING)
    stage.run(among="bc")
    stage.clear()  # all that B sent to A is lost, so B counts on A's having it
    stage.run(rounds)
    return stage


async def test_a_divergent_tail_behind_a_backlog_is_caught_up_at_once() -> None:
    """A few round trips, however long the tail and the backlog are."""
    stage = await _play(5)

    assert stage["a"].log == stage["b"].log
    assert stage["a"].machine.commands == stage["b"].machine.commands
    assert len(stage["a"].machine.commands) == BACKLOG


async def test_without_numbers_the_follower_never_catches_up() -> None:
    """The defect: a livelock; the death of one more replica then ends all writes."""
    stage = await _play(25, UnnumberedRewinds, SendsInTicks)

    assert stage["b"].leads
    assert stage["a"].machine.commands == []
    assert [term for _, term in stage["a"].log[-TAIL:]] == [1] * TAIL
