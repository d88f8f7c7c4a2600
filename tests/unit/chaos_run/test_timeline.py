"""The timeline: what must be seen to understand a finding, and little else."""

import pytest

from tests.chaos.evidence import Life
from tests.chaos.findings import Finding
from tests.chaos.timeline import LINES, SHOWN, timeline
from tests.unit.chaos_run.made import BEGAN_S, evidence, fault, read, steady, write


def story(text: str, at_s: float = 5.0) -> str:
    """Return the timeline of one finding in a run with a killed leader."""
    seen = evidence(
        steady(20.0),
        fault("kill", "a", at_s=4.0, over_s=6.0, detail="the leader: kill"),
        fault("pause", "b", at_s=18.0, over_s=19.0),
        [Life(BEGAN_S + 4.5, "silent", "beating", "10.1.1.1:80", "beating:1")],
        [read(5.2, listed=(("x:1", "1.1.1.1:80"), ("kept-0:3", "10.0.3.0:80")))],
    )
    at_s = BEGAN_S + at_s if at_s else 0.0
    return "\n".join(timeline(seen, [Finding("none_lost", at_s, text)]))


def test_faults_leaders_and_lives_around_it_are_told() -> None:
    """Causes stand before effects, on one clock."""
    told = story("kept-0:3 is lost at b")

    assert "1. none_lost: kept-0:3 is lost at b" in told
    assert "    4.000  FAULT kill a (the leader: kill)" in told
    assert "    6.000  FAULT start a: over, all ready" in told
    assert "LIFE beating beating:1 10.1.1.1:80 silent" in told
    assert "    5.000  *** none_lost" in told
    assert "FAULT pause" not in told


def test_the_calls_about_what_is_named_are_told() -> None:
    """Those of others would bury them."""
    told = story("kept-0:3 is lost at b")

    assert (
        "kept-0 → b: register kept-0 kept-0:3 10.0.3.0:80 = done @300 (10 ms)" in told
    )
    assert "kept-0:2.9" not in told
    assert "reader-c → c: list kept-0 = [kept-0:3 … 2] (1 ms)" in told


def test_of_a_reader_only_news_are_told() -> None:
    """When it first saw the instance and when no more, not each time in between."""
    there = (("kept-0:3", "10.0.3.0:80"),)
    reads = [read(at_s, listed=there) for at_s in (4.0, 4.1, 4.2)]
    reads += [read(at_s) for at_s in (4.3, 4.4)]
    seen = evidence([write(3.0)], reads)
    lines = timeline(seen, [Finding("lives", BEGAN_S + 5.0, "no kept-0:3 at c")])

    told = [line for line in lines if "reader-c" in line]
    assert [line.split()[0] for line in told] == ["3.999", "4.299"]


def test_without_a_known_name_the_writes_are_told() -> None:
    """Something of the load is better than nothing."""
    told = story("two leaders in one term")

    assert "kept-0:4.9" in told
    assert "list" not in told


@pytest.mark.parametrize("at_s", [0.0, 20.0])
def test_of_an_instance_all_is_told_that_went_before(at_s: float) -> None:
    """What shows at the end may have its cause anywhere."""
    told = story("kept-0:3 is lost at b", at_s=at_s)

    assert "register kept-0 kept-0:3 " in told
    assert "FAULT kill" in told
    assert "FAULT pause" in told


def test_it_stays_short() -> None:
    """A thousand findings have one cause; a thousand calls hide it."""
    seen = evidence(steady(60.0), [write(30.0) for _ in range(2 * LINES)])
    findings = [Finding("x", BEGAN_S + 30.0, f"{n}th") for n in range(5 * SHOWN)]
    lines = timeline(seen, findings)

    assert len(lines) <= 1 + SHOWN * (LINES + 2) + 5 * SHOWN
    assert any("more" in line for line in lines)
