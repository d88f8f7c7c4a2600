"""A leader whose disk does not answer makes room for one whose disk does."""

from cluster.raft.fitness import DISK_HANGS_S, Fitness
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage

ROUND_S = 0.1
ROUNDS = 100


class PatientWithDisks(Fitness):
    """Without the rule: only silence of the followers ends a leadership."""

    def check_disk(self) -> None:
        """Wait."""


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """A's disk hangs with a write; everybody hears everybody for ten seconds."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage["a"].log_worker.eager = False
    attempt = stage["a"].propose(b"x")
    for _ in range(ROUNDS):
        stage.clock.advance(ROUND_S)
        for name in "abc":
            stage[name].node.fitness.check_disk()
            stage[name].tick()
        for source in "abc":
            for target in "abc":
                stage.deliver(source, target)
    assert ROUNDS * ROUND_S < DISK_HANGS_S
    return stage, attempt


async def test_a_leader_whose_disk_hangs_steps_down() -> None:
    """The others elect one of them, and the write is in its log."""
    stage, _ = await _play()
    assert stage.leaders() == []
    stage.elect("b", "c")
    after = stage["b"].propose(b"y")
    stage.run(among="bc")

    assert stage.leaders() == ["b"]
    assert after.acknowledged()
    assert stage["c"].machine.commands == [b"x", b"y"]


async def test_without_the_rule_its_signs_of_life_hold_every_write_up() -> None:
    """The defect: it leads on, nothing is answered, and nobody else may be elected."""
    stage, attempt = await _play(PatientWithDisks)
    stage["b"].tick(campaign=True)
    stage.ask("b", "c")
    stage["b"].tick()

    assert stage.leaders() == ["a"]
    assert stage["b"].term == 1
    assert not attempt.acknowledged()
    assert stage.states() == {"a": [], "b": [], "c": []}


async def test_a_hanging_disk_that_leads_nobody_ends_its_replica() -> None:
    """What waits for it only grows, so the host's supervisor must know."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage["b"].log_worker.eager = False
    stage["a"].propose(b"x")
    stage.tick("a")
    stage.deliver("a", "b")
    stage.clock.advance(DISK_HANGS_S + 1.0)
    stage["b"]._alive(stage["b"].node.fitness.check_disk)

    assert "the disk has not answered for 31 s" in stage["b"].died
