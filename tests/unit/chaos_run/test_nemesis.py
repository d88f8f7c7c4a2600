"""The nemesis: one plan from one seed, by the bed's verbs, within what is promised."""

from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.chaos.episodes import Scene
from tests.chaos.evidence import Fault
from tests.chaos.nemesis import LONG_RUN_S, Nemesis, Step, plan, possible
from tests.chaos.recorded import NeverReady
from tests.unit.chaos_run.fake_bed import ALL_VERBS, FakeBed, FakeTime, recorded

HOUR_S = 3_600.0


def steps(seed: int, count: int = 100, *, size: int = 3) -> list[Step]:
    """Return the begin of a plan with all verbs."""
    return list(islice(plan(seed, possible(ALL_VERBS, size)), count))


def play(
    folder: Path, bed: FakeBed, *, seed: int = 1, seconds: float = 400.0
) -> list[Fault]:
    """Let the nemesis do its work on a bed; return what it recorded."""
    time = FakeTime()
    wrapped, recorder = recorded(bed, folder)
    nemesis = Nemesis(wrapped, seed=seed, ttl_s=3.0, wait=time.wait, clock=time.clock)
    with closing(recorder):
        nemesis.run(seconds)
    assert nemesis.episode == "calm"
    return recorder.evidence.of(Fault)


def test_the_same_seed_makes_the_same_plan() -> None:
    """A run that found something can be had again."""
    assert steps(7) == steps(7)
    assert steps(7) != steps(8)


def test_the_same_seed_does_the_same_to_the_same_cluster(tmp_path: Path) -> None:
    """The chance within an episode comes from the seed as well."""
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    first, second = FakeBed(5), FakeBed(5)
    play(tmp_path / "1", first)
    play(tmp_path / "2", second)

    assert first.done == second.done


def test_a_round_has_every_episode() -> None:
    """Chance decides about the order, not about what is ever tried."""
    episodes = possible(ALL_VERBS, 5)
    size = sum(episode.times for episode in episodes)
    first_round = steps(3, size, size=5)

    assert {step.episode.name for step in first_round} == {e.name for e in episodes}


@pytest.mark.parametrize(
    "verbs",
    [
        ALL_VERBS - {"partition", "slow_link", "unplug", "heal"},
        ALL_VERBS - {"power_cut", "wipe", "step_clock"},
        {"kill", "start"},
    ],
)
def test_only_verbs_of_the_bed_are_used(tmp_path: Path, verbs: set[str]) -> None:
    """The fake one fails on any other; and the plan never runs dry."""
    bed = FakeBed(3, verbs)
    play(tmp_path, bed, seconds=1_000.0)

    assert ("kill", "a") in bed.done


def test_a_bed_without_verbs_is_an_error() -> None:
    """A run without any fault would pass for a proof."""
    with pytest.raises(ValueError, match="no verbs"):
        next(plan(1, possible((), 3)))


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_disks_are_lost_within_what_is_promised(
    tmp_path: Path, size: int, seed: int
) -> None:
    """Never more than a minority between two moments at which everybody was ready."""
    bed = FakeBed(size)
    play(tmp_path, bed, seed=seed, seconds=2_000.0)
    wiped: set[str] = set()
    most = 0
    for verb, node_id in bed.done:
        if verb == "wipe":
            wiped.add(node_id)
        if verb == "wait_ready":
            wiped.clear()
        most = max(most, len(wiped))

    assert 1 <= most <= (size - 1) // 2


@pytest.mark.parametrize("size", [3, 5])
def test_all_is_put_right_after_each_episode(tmp_path: Path, size: int) -> None:
    """What is left over from one episode would be blamed on the next."""
    bed = FakeBed(size)
    faults = play(tmp_path, bed, seconds=2_000.0)
    ends = {
        "kill": "start",
        "stop": "start",
        "power_cut": "start",
        "pause": "resume",
        "starve": "feed",
        "slow_disk": "mend_disk",
        "break_disk": "mend_disk",
        "fill_disk": "mend_disk",
        "step_clock": "step_back",
    }
    missing: set[tuple[str, str]] = set()
    for verb, node_id in bed.done:
        if verb in ends:
            missing.add((ends[verb], node_id))
        elif verb in ("partition", "slow_link", "unplug"):
            missing.add(("heal", ""))
        missing.discard((verb, node_id))

    assert not missing
    open_on: set[str] = set()
    for fault in faults:
        if fault.is_over:
            open_on -= set(fault.targets)
        else:
            open_on |= set(fault.targets)
    assert not open_on


@pytest.mark.parametrize("seed", range(20))
def test_two_at_once_leave_a_majority(tmp_path: Path, seed: int) -> None:
    """The one episode of several harms keeps to a minority."""
    (two,) = (e for e in possible(ALL_VERBS, 5) if e.name == "two at once")
    bed, recorder = recorded(FakeBed(5), tmp_path)
    two.act(Scene(bed, Random(seed), 3.0, lambda _: None))
    recorder.close()

    assert 1 <= len(bed.touched) <= 2


def test_a_long_run_begins_with_a_majority_dead_for_long(tmp_path: Path) -> None:
    """Reads from whoever is left must go on for as long as it takes, once a run."""
    faults = play(tmp_path, FakeBed(), seconds=LONG_RUN_S)
    (tmp_path / "evidence.jsonl").unlink()
    shorter = play(tmp_path, FakeBed(), seconds=LONG_RUN_S - 1)
    long = "a majority: dead for long"

    assert [f.verb for f in faults if f.detail == long] == ["kill", "kill"] + (
        ["start"] * 2
    )
    assert faults[0].detail == long
    assert all(fault.detail != long for fault in shorter)


def test_the_hour_is_over_soon(tmp_path: Path) -> None:
    """The last episode begins before the end, so a run is hardly longer than asked."""
    time = FakeTime()
    wrapped, recorder = recorded(FakeBed(), tmp_path)
    nemesis = Nemesis(wrapped, seed=1, ttl_s=3.0, wait=time.wait, clock=time.clock)
    nemesis.run(HOUR_S)
    recorder.close()

    assert HOUR_S <= time.now_s <= HOUR_S + 20.0
    assert nemesis.episodes > 300


def test_a_cluster_that_does_not_come_back_ends_the_run(tmp_path: Path) -> None:
    """Nothing after that could be judged; whoever calls makes it a finding."""
    bed = FakeBed()
    bed.is_lost = True
    with pytest.raises(NeverReady, match="a ready cluster"):
        play(tmp_path, bed)
