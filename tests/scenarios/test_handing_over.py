"""A graceful end: the leader asks another one to campaign, and it wins at once."""

from cluster.raft.wire import TimeoutNow
from tests.scenarios.support_stage import Stage


async def test_leadership_is_handed_over_within_one_round() -> None:
    """No election timeout passes: TimeoutNow needs no pre-vote."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage["a"].propose(b"x")
    stage.run()
    stage["a"].node.fitness.is_stopping = True
    stage.run(2)

    assert stage.leaders() != ["a"]
    assert len(stage.leaders()) == 1
    assert stage[stage.leaders()[0]].term == 2


async def test_it_is_not_handed_to_one_that_lacks_entries() -> None:
    """The transfer would only cost an election; it is asked again each turn."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage.clear()
    stage["a"].propose(b"x")
    stage["a"].node.fitness.is_stopping = True
    stage.tick("a", 0.0)
    kinds = {type(message).__name__ for message in stage.peek("a", "b")}

    assert kinds == {"Append"}
    stage.run(3)
    assert stage.leaders() != ["a"]
    assert stage[stage.leaders()[0]].machine.commands == [b"x"]


async def test_a_stopping_replica_does_not_campaign() -> None:
    """It would have to hand over again."""
    stage = await Stage.open("abc")
    stage["a"].node.fitness.is_stopping = True
    stage["a"].tick(campaign=True)

    assert stage.peek("a", "b") == []


async def test_timeout_now_of_a_stranger_is_ignored() -> None:
    """Only the present leader may ask for an election."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage.clear()
    stage["b"].node.transport.on_timeout_now("c", TimeoutNow(1))
    stage["b"].tick()

    assert stage["b"].term == 1
    assert stage.leaders() == ["a"]
