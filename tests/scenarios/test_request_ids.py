"""P5: an answer to a former life's request is not taken for one to a new request."""

from typing import Any

from cluster.raft.library import Node
from cluster.raft.transport import RaftTransport
from cluster.raft.wire import Append, ForwardAnswer
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class CountingFromOne(RaftTransport):
    """As released: request ids begin at 1 in each life."""

    def send(self, node: Node, message: dict[str, Any]) -> bool:
        """Send the library's own number."""
        self._request_base = 0
        return super().send(node, message)

    def on_forward_answer(self, peer: str, answer: ForwardAnswer) -> None:
        """Match the library's own number."""
        self._request_base = 0
        super().on_forward_answer(peer, answer)


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """Return the stage when everything settled, and the proposal of B's second life."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage["b"].propose(b"former")
    stage.tick("b")
    stage.deliver("b", "a")
    stage.tick("a")
    stage.drop("a", "b", Append)
    late = list(stage.wires.queues["a", "b"])
    assert [type(message) for message in stage.peek("a", "b")] == [ForwardAnswer]
    stage.wires.queues["a", "c"].clear()
    await stage.restart("b")
    stage.tick("a")
    stage.deliver("a", "b", 2)
    attempt = stage["b"].propose(b"new")
    stage.tick("b")
    stage.drop("b", "a")  # the request itself is lost
    stage.wires.queues["a", "b"].extend(late)
    stage.run()
    return stage, attempt


async def test_an_answer_to_a_former_life_is_dropped() -> None:
    """Nothing is known of the new request: it was lost."""
    stage, attempt = await _play()

    assert attempt.answers == 0
    assert stage["b"].node.transport.stale_dropped == 1


async def test_with_ids_from_one_a_lost_command_is_acknowledged() -> None:
    """The defect: "new" is acknowledged, and is in no log."""
    stage, attempt = await _play(CountingFromOne)

    assert attempt.acknowledged()
    assert all(state == [b"former"] for state in stage.states().values())
