"""P1: an ack carries the term of its leader, so one of a former term counts nothing.

Five replicas. F acks entries of A's first term; the ack is slow. M overwrites them,
then A leads again. The library takes the old ack for one to the new entries.
"""

import msgspec

from cluster.raft.transport import RaftTransport
from cluster.raft.wire import Ack
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class TermlessAcks(RaftTransport):
    """As released: an append response carries no term, and any leader accepts it."""

    def on_ack(self, peer: str, ack: Ack) -> None:
        """Take it for an ack of the present term."""
        term = self.core.raftCurrentTerm
        super().on_ack(peer, msgspec.structs.replace(ack, term=term))


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """Return the stage when the stale ack has arrived; A and X hold the new entry."""
    stage = await Stage.open("afmxy", lacking=lacking)
    stage.elect("a", "f", "m", "x", "y")
    stage.run()
    for number in range(5):
        stage["a"].propose(b"old%d" % number)
    stage.tick("a")
    stage.deliver("a", "f")
    late = list(stage.wires.queues["f", "a"])
    assert late
    stage.clear()
    stage.elect("m", "x", "y")
    stage.run()
    assert stage["a"].log == stage["f"].log == stage["m"].log
    stage.elect("a", "x", "y")
    attempt = stage["a"].propose(b"new0")
    for number in range(1, 5):
        stage["a"].propose(b"new%d" % number)
    stage.tick("a")
    stage.deliver("a", "x")
    stage.deliver("x", "a")
    stage.tick("a")
    assert stage["a"].leads
    assert not attempt.acknowledged()
    stage.wires.queues["f", "a"].extend(late)
    stage.deliver("f", "a")
    stage.tick("a")
    return stage, attempt


def _elect_without_a_and_x(stage: Stage) -> None:
    stage.isolate("a")
    stage.isolate("x")
    stage.step_down("m")
    stage.elect("m", "f", "y")
    stage.run(among="fmy")


async def test_an_ack_of_a_former_term_counts_nothing() -> None:
    """Two of five hold the entry: it must not be acknowledged."""
    stage, attempt = await _play()

    assert not attempt.acknowledged()
    assert stage["a"].node.transport.stale_dropped > 0


async def test_without_the_term_a_minority_acknowledges_and_loses_it() -> None:
    """The defect: acknowledged with 2 of 5 holders, gone with the next leader."""
    stage, attempt = await _play(TermlessAcks)
    assert attempt.acknowledged()
    _elect_without_a_and_x(stage)

    assert stage["m"].leads
    assert b"new0" not in stage["m"].machine.commands
    assert b"new0" in stage["a"].machine.commands
