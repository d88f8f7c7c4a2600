"""What a command does wrong is a value; what a replica does not know stops it (I2).

The library executes an entry whose handler raises again on every tick, on every
replica, also after a restart.
"""

from cluster.ledger import INTERNAL_REFUSAL, Ledger
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class FencelessLedger(Ledger):
    """As released: what a handler raises goes up."""

    def _apply_commands(self, position: int, commands: list[bytes]) -> list[bytes]:
        apply = self._machine.apply
        return [apply(position + place, c) for place, c in enumerate(commands)]


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    attempt = stage["a"].propose(b"good", b"poison", b"better")
    stage.run()
    return stage, attempt


async def test_a_handler_that_raises_is_a_refusal_on_every_replica() -> None:
    """The others in its batch, and all that follow, are applied as ever."""
    stage, attempt = await _play()
    after = stage["a"].propose(b"after")
    stage.run()

    assert attempt.result is not None
    assert attempt.result.outcomes == [b"good", INTERNAL_REFUSAL, b"better"]
    assert after.acknowledged()
    expected = [b"good", b"better", b"after"]
    assert stage.states() == {"a": expected, "b": expected, "c": expected}
    assert len({stage[name].node.ledger.crc for name in "abc"}) == 1


async def test_without_the_fence_one_command_ends_the_cluster_for_good() -> None:
    """The defect: no replica gets over the entry, in no life."""
    stage, attempt = await _play(FencelessLedger)
    assert not attempt.acknowledged()
    ended = ["a"]
    for leader, voter in ("bc", "ca", "ab"):
        for name in "abc":
            if stage[name].node is None:
                await stage.restart(name)
        stage.elect(leader, voter)
        stage.run()
        ended += [name for name in "abc" if "poison" in stage[name].died]

    assert set(ended) == set("abc")
    assert len(ended) >= 4
    assert all(b"better" not in state for state in stage.states().values())


async def test_a_command_of_a_later_version_stops_the_replica() -> None:
    """Skipping it would diverge (I1): stop, and say what to do."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage["a"].propose(b"future")
    stage.run()

    assert "cannot be applied" in stage["a"].died
    stage.elect("b", "c")
    stage.run()

    assert "cannot be applied" in stage["b"].died
    assert stage.states() == {"c": []}
