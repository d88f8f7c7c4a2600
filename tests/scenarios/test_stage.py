"""The scenario kit itself: a script without faults is an ordinary cluster."""

from tests.scenarios.support_stage import Stage


async def test_a_script_without_faults_replicates() -> None:
    """What the kit itself breaks must not be taken for a missing repair."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    attempt = stage["a"].propose(b"x")
    stage.run()

    assert stage.leaders() == ["a"]
    assert attempt.acknowledged()
    assert stage.states() == {"a": [b"x"], "b": [b"x"], "c": [b"x"]}


async def test_a_restarted_replica_remembers() -> None:
    """The files are the real ones: a life begins from what the last one synced."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage["a"].propose(b"x")
    stage.run()
    await stage.restart("b", power=True)
    stage.run()

    assert stage["b"].machine.commands == [b"x"]
