"""The simulation over tiny replicas: the right one passes, wrong ones are found."""

from random import Random

import pytest

from cluster.config import ClusterConfig
from cluster.ports import Surroundings
from cluster.state_machine import StateMachine
from tests.simulation.list_clients import ListWorkload
from tests.simulation.list_machine import ListMachine
from tests.simulation.profiles import draw
from tests.simulation.world import Result, World
from tests.unit.simulation.fake_replica import FakeReplica, Flaw

SEEDS = range(6)

EXPECTED = {
    Flaw.ANSWERS_BEFORE_THE_SYNC: "logs differ|LOST",
    Flaw.APPLIES_TWICE: "applied twice",
    Flaw.FORGETS_AT_RESTART: "logs differ|LOST|in a former life",
    Flaw.REFUSES_WHAT_IT_APPLIES: "refused, but in the log",
    Flaw.FAILS_FOR_NO_REASON: "fatal: no reason",
}


def simulate(seed: int, flaw: Flaw) -> Result:
    """Run one seed of a cluster of one."""
    conditions = draw("power", Random(f"{seed}/conditions"), nodes=1, seconds=15.0)

    def make(
        config: ClusterConfig, machine: StateMachine, outside: Surroundings
    ) -> FakeReplica:
        return FakeReplica(config, machine, outside, flaw=flaw)

    return World(seed, conditions, make, ListMachine, ListWorkload).run()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_right_replica_passes(seed: int) -> None:
    """A judge that condemns the innocent is of no use."""
    result = simulate(seed, Flaw.NONE)

    assert result.violation is None
    assert result.counts["acknowledged"] > 10


@pytest.mark.parametrize("flaw", EXPECTED, ids=lambda flaw: flaw.name)
def test_each_flaw_is_found_within_a_few_seeds(flaw: Flaw) -> None:
    """A judge that finds nothing proves nothing."""
    found = [simulate(seed, flaw).violation for seed in SEEDS]

    wanted = EXPECTED[flaw].split("|")
    assert any(v is not None and any(w in v for w in wanted) for v in found), found


def test_one_seed_gives_one_trace() -> None:
    """Only what can be repeated can be understood."""
    first, second = simulate(3, Flaw.NONE), simulate(3, Flaw.NONE)

    assert first.digest == second.digest
    assert first.digest != simulate(4, Flaw.NONE).digest


def test_a_violation_comes_with_its_story() -> None:
    """The timeline names the faults and the write concerned."""
    result = simulate(0, Flaw.FORGETS_AT_RESTART)

    assert any("ends:" in line for line in result.timeline)
    assert "VIOLATION" in result.timeline[-1]
