"""The judges are judged: each defect in the product is found by the run that must.

The same processes, clients, faults and checkers as everywhere; only the defect is new.
What is done to them without a defect leaves nothing to find.
"""

import sys
from functools import partial
from pathlib import Path

import pytest

from tests.chaos.beds.processes import process_bed
from tests.chaos.episodes import Act, Episode, Scene
from tests.chaos.findings import Finding
from tests.chaos.nemesis import Step
from tests.chaos.run import cluster_settings, run_chaos
from tests.chaos.workload import record_endings
from tests.support.process_replica import COMMAND

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PLANTED = (sys.executable, "-m", "tests.support.planted")
LONGEST_S = 60.0
ALIKE_S = 5.0
"""How long replicas may take until they are alike; some defects keep them apart."""
SEED = 1


def lose_a_leader_that_is_cut_off(scene: Scene) -> None:
    """What it acknowledges alone is lost with it."""
    leader = scene.leader()
    scene.bed.partition(leader, scene.others(leader))
    scene.wait(0.4)
    scene.bed.power_cut(leader)
    scene.wait(1.0)


def start_one_with_an_empty_disk(scene: Scene) -> None:
    """Its links are slow, so it is a while until it knows; its clients ask at once."""
    wiped = scene.follower()
    scene.bed.kill(wiped)
    scene.bed.wipe(wiped)
    scene.bed.slow_link(wiped, delay_ms=300.0)
    scene.bed.start(wiped)
    scene.wait(4.0)


def set_the_clock_of_a_follower(scene: Scene) -> None:
    """By an hour: every lease is over by then."""
    scene.bed.step_clock(scene.follower(), seconds=3_600.0)
    scene.wait(3.0)


def cut_all_power(scene: Scene) -> None:
    """What was not synced is gone, everywhere."""
    for node_id in scene.bed.node_ids:
        scene.bed.power_cut(node_id)


def let_all_be_well(scene: Scene) -> None:
    """What shows without any fault."""
    scene.wait(2.0)


SCRIPTS: dict[str, tuple[Act, set[str]]] = {
    "acknowledge-before-commit": (
        lose_a_leader_that_is_cut_off,
        {"linearizable", "sessions", "writes", "availability"},
    ),
    "serve-before-catch-up": (start_one_with_an_empty_disk, {"answers"}),
    "evict-on-own-clock": (set_the_clock_of_a_follower, {"lives"}),
    "skip-syncs": (cut_all_power, {"writes", "lives"}),
    "skip-some-deregisters": (
        let_all_be_well,
        {"replicas", "content", "sessions", "writes"},
    ),
    "break-at-some-reads": (let_all_be_well, {"availability"}),
}
"""By defect: what brings it to light, and the checkers each of which must say so."""


def findings(
    folder: Path, *acts: Act, command: tuple[str, ...] = COMMAND
) -> list[Finding]:
    """Let things befall a cluster under load, and judge."""
    steps = [Step(Episode(a.__name__, frozenset(), a), 1.0, SEED) for a in acts]
    bed = process_bed(folder, settings=lambda _: cluster_settings(), command=command)
    with bed as running:
        return run_chaos(
            running, seed=SEED, seconds=LONGEST_S, folder=folder / "run", steps=steps
        ).findings


@pytest.fixture(autouse=True)
def _wait_less_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some will never be alike, or are gone."""
    soon = partial(record_endings, deadline_s=ALIKE_S)
    monkeypatch.setattr("tests.chaos.run.record_endings", soon)


@pytest.mark.parametrize("defect", SCRIPTS)
def test_a_planted_defect_is_found(defect: str, tmp_path: Path) -> None:
    """By each checker that is there for it."""
    act, checkers = SCRIPTS[defect]
    found = findings(tmp_path, act, command=(*PLANTED, defect, "serve"))

    assert checkers <= {finding.checker for finding in found}, found


def test_without_a_defect_nothing_is_found(tmp_path: Path) -> None:
    """All of it, one after the other."""
    assert findings(tmp_path, *(act for act, _ in SCRIPTS.values())) == []
