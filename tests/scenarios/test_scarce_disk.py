"""A replica with little disk left hands leadership over, and takes none."""

from cluster.flight import Verdict
from cluster.raft.core import COMMANDS_QUEUE
from cluster.raft.fitness import Fitness
from tests.scenarios.support_stage import Stage


class Clinging(Fitness):
    """Without the rule: a leader leads until its disk is full."""

    def hand_over_if_unfit(self) -> None:
        """Keep it."""


async def _play(*lacking: type) -> Stage:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage["a"].propose(b"x")
    stage.run()
    stage["a"].files.free = 1024 * 1024
    stage["a"].node.compaction.check_disk()
    stage.run()
    return stage


async def test_a_leader_with_little_disk_hands_over() -> None:
    """Somebody else leads before a write fails."""
    stage = await _play()

    assert stage["a"].node.compaction.disk_low
    assert len(stage.leaders()) == 1
    assert stage.leaders() != ["a"]


async def test_without_the_rule_it_leads_on() -> None:
    """The defect: the next write that fails ends the leader, and with it a term."""
    stage = await _play(Clinging)

    assert stage.leaders() == ["a"]


async def test_a_replica_with_little_disk_does_not_campaign() -> None:
    """It would only have to hand over again."""
    stage = await _play()
    stage.clock.advance(1.0)
    stage.clear()
    stage["a"].tick(campaign=True)

    assert stage.peek("a", "b") == []


async def test_it_campaigns_again_when_there_is_room() -> None:
    """The state ends as it began: by looking at the disk."""
    stage = await _play()
    stage["a"].files.free = 1 << 40
    stage["a"].node.compaction.check_disk()
    stage.clear()
    stage.step_down(stage.leaders()[0])

    assert stage.elect("a", "b", "c").leads


async def test_a_full_queue_refuses_at_once() -> None:
    """Refused means never in the log: nothing of the overflow may appear later."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    payload = stage["a"].propose(b"x").payload
    verdicts: list[int] = []
    for _ in range(COMMANDS_QUEUE - 1):
        stage["a"].core.propose(payload, lambda _, reason: verdicts.append(reason))
    assert verdicts == []
    late = stage["a"].propose(b"late")

    assert late.verdict is Verdict.OVERLOADED


async def test_a_disk_that_fails_ends_the_replica_and_nothing_leaves() -> None:
    """No retry on that descriptor: a later sync may wrongly succeed."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage.clear()
    attempt = stage["a"].propose(b"x")
    stage.tick("a")

    def fail(operation: str) -> None:
        raise OSError(5, f"{operation} failed")

    stage["b"].files.on_operation = fail
    stage.deliver("a", "b")

    assert "the disk failed" in stage["b"].died
    assert stage.peek("b", "a") == []
    assert not attempt.acknowledged()
