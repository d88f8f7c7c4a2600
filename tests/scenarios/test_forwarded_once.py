"""A forwarded proposal counts once: what was refused is not in the log later.

B forwards to A, who no longer leads and refuses. A copy of the same frame arrives when
A leads again.
"""

from cluster.flight import Verdict
from cluster.raft import wire
from cluster.raft.transport import RaftTransport
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class TakesCopies(RaftTransport):
    """Without the repair: a frame that arrives twice is two proposals."""

    def on_forward(self, peer: str, forward: wire.Forward) -> None:
        """Forget what came before."""
        self._forwarded.clear()
        super().on_forward(peer, forward)


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.clear()
    attempt = stage["b"].propose(b"x")
    stage.tick("b", 0.0)
    copies = [
        frame
        for frame in stage.wires.queues["b", "a"]
        if isinstance(wire.decode(frame)[1], wire.Forward)
    ]
    stage.step_down("a")
    stage.deliver("b", "a")
    stage.deliver("a", "b")
    assert attempt.verdict is Verdict.REFUSED
    stage.elect("a", "b", "c")
    for frame in copies:
        stage["a"].receive("b", frame)
    stage.run()
    return stage, attempt


async def test_a_copy_of_a_refused_proposal_is_dropped() -> None:
    """Its caller was told that it is certainly not in the log, and may have retried."""
    stage, _ = await _play()

    assert stage.states() == {"a": [], "b": [], "c": []}


async def test_without_the_repair_a_refused_proposal_is_done() -> None:
    """The defect: the batch has dissolved and is proposed anew, and is done twice."""
    stage, attempt = await _play(TakesCopies)

    assert attempt.verdict is Verdict.REFUSED
    assert stage.states() == {"a": [b"x"], "b": [b"x"], "c": [b"x"]}
