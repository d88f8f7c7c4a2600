"""The figures: measured as a client would, and only what was promised is demanded."""

import math

import pytest

from bench.figures import Figure
from tests.chaos.evidence import Fault, Record
from tests.chaos.figures import figures, gaps_s, lone_faults
from tests.chaos.moments import leader_at, leader_spans, leaders, percentile
from tests.unit.chaos_run.made import (
    BEGAN_S,
    evidence,
    fault,
    look,
    read,
    steady,
    write,
)


def named(found: list[Figure], start: str) -> Figure:
    """Return the one figure whose name begins so."""
    (figure,) = (one for one in found if one.name.startswith(start))
    return figure


def test_the_gap_after_a_killed_leader() -> None:
    """From the last acknowledgement before new ones come, also of waiting writes."""
    killed = fault("kill", "a", at_s=5.05, over_s=8.0)
    seen = evidence(steady(10.0, gaps=[(5.05, 5.75)]), killed)

    (gap_s,) = gaps_s(seen, lone_faults(seen, ("kill",)))
    assert gap_s == pytest.approx(0.75)
    figure = named(
        figures(seen), "leader killed, time without an acknowledged write, p"
    )
    assert (figure.value, figure.met) == ("0.750 s", False)
    worst = named(figures(seen), "leader killed, time without an acknowledged write, w")
    assert (worst.value, worst.met) == ("0.750 s", True)


def test_a_write_that_waited_out_the_election_counts() -> None:
    """It was sent before the fault, and its answer is the first sign of life after."""
    killed = fault("kill", "a", at_s=5.05, over_s=8.0)
    waited = write(5.3, 0.4)
    seen = evidence(steady(10.0, gaps=[(5.05, 5.75)]), killed, [waited])

    (gap_s,) = gaps_s(seen, lone_faults(seen, ("kill",)))
    assert gap_s == pytest.approx(0.5)


def test_an_answer_already_under_way_is_no_resumption() -> None:
    """What the dead leader had sent tells nothing about the new one."""
    killed = fault("kill", "a", at_s=5.05, over_s=8.0)
    seen = evidence(steady(10.0, gaps=[(5.05, 7.0)]), killed, [write(5.06, 0.2)])

    (gap_s,) = gaps_s(seen, lone_faults(seen, ("kill",)))
    assert gap_s == pytest.approx(1.94)


def test_writes_that_never_resume_are_a_gap_to_the_end() -> None:
    """The worst case must not be the one that is left out."""
    killed = fault("kill", "a", at_s=5.0)
    seen = evidence(steady(10.0, gaps=[(5.0, 10.0)]), killed)

    (gap_s,) = gaps_s(seen, lone_faults(seen, ("kill",)))
    assert gap_s == pytest.approx(4.9)


def test_only_faults_that_leave_a_majority_are_measured() -> None:
    """A majority that is dead cannot acknowledge; two at once have no time each."""
    pair: list[Record] = [
        *fault("kill", "a", at_s=2.0),
        *fault("kill", "b", at_s=2.1),
        Fault("start", ("a", "b"), BEGAN_S + 3.0, BEGAN_S + 4.0, is_over=True),
    ]
    alone = fault("partition", "a", at_s=6.0, over_s=8.0)
    all_of_them = fault("partition", "a", "b", "c", at_s=9.0, over_s=9.5)
    seen = evidence(steady(10.0), pair, alone, all_of_them)

    assert lone_faults(seen, ("kill", "partition")) == [alone[0]]


def test_a_killed_follower_is_no_killed_leader() -> None:
    """Its gap would make the median look better than it is."""
    seen = evidence(steady(10.0), fault("kill", "b", at_s=5.0, over_s=8.0))

    assert named(figures(seen), "leader killed").value == "did not happen"


def test_reads_on_untouched_replicas_are_told_apart() -> None:
    """Failed ones on a killed replica are no broken promise; elsewhere they are."""
    killed = fault("kill", "a", at_s=5.0, over_s=8.0)
    on_killed = read(6.0, replica="a", outcome="refused")
    slow = [read(6.0 + n / 100, 0.004, replica="b") for n in range(100)]
    found = figures(evidence(steady(10.0), killed, [on_killed], slow))

    assert named(found, "failed reads").met is True
    assert named(found, "p99 of plain reads, no").value == "1.00 ms"
    beside = named(found, "p99 of plain reads, a fault")
    assert (beside.value, beside.met) == ("4.00 ms, 4.00 x", False)
    failed = read(6.0, replica="c", outcome="unknown")
    found = figures(evidence(steady(10.0), killed, [failed]))
    assert named(found, "failed reads").met is False


def test_one_read_that_stalls_stands_for_those_that_were_not_asked() -> None:
    """Else a reader that waits for a second counts that second once."""
    killed = fault("kill", "a", at_s=5.0, over_s=8.0)
    swift = [read(6.0 + n / 1_000, 0.001, replica="b") for n in range(990)]
    found = figures(
        evidence(steady(10.0), killed, swift, [read(7.0, 0.9, replica="b")])
    )

    assert named(found, "the longest of them").value == "900 ms"
    assert named(found, "p99 of plain reads, a fault").met is False
    worst = named(found, "p99 of plain reads, the worst kind of fault, kill")
    assert worst.met is False


def test_memory_is_judged_in_long_runs_alone() -> None:
    """A short one ends while what is bounded is still filling."""

    def looks(end_s: float, *at_s: float) -> list[Record]:
        return [
            look(time_s, "a", "leader", memory_bytes=mib * 2**20)
            for time_s, mib in zip((*at_s, end_s), (100, 110, 130), strict=True)
        ]

    short = figures(evidence(looks(60.0, 9.0, 20.0)))
    long = figures(evidence(looks(3_600.0, 1_200.0, 2_000.0)))
    near = "a, near the start and at the end: memory"
    one = "a, in one life: memory"

    assert named(short, near).value == "100 → 130 MiB"
    assert [f.met for f in short if "memory" in f.name and f.met is not None] == []
    assert (named(long, near).value, named(long, near).met) == ("100 → 130 MiB", False)
    assert named(long, "a, in one life").value == "no looks"
    leaky = figures(evidence(looks(3_600.0, 3_390.0, 3_500.0)))
    assert (named(leaky, one).value, named(leaky, one).met) == ("100 → 110 MiB", True)


def test_a_run_without_anything_has_figures() -> None:
    """One that dies early is shown as well."""
    assert named(figures(evidence()), "acknowledged writes").value == "0 (0 / s)"


def test_who_led_is_read_from_the_newest_term() -> None:
    """An old leader that was cut off goes on saying that it leads."""
    seen = evidence(
        [
            look(1.0, "a", "leader", term=1),
            look(2.0, "b", "leader", term=2),
            look(3.0, "a", "leader", term=1),
            look(4.0, "b", "leader", term=2),
            look(5.0, "a", "follower", term=2),
        ]
    )
    changes = leaders(seen)

    assert leader_at(changes, BEGAN_S) == ""
    assert leader_at(changes, BEGAN_S + 1.5) == "a"
    assert leader_at(changes, BEGAN_S + 3.5) == "b"
    assert leader_spans(seen) == {
        "a": [(BEGAN_S + 1.0, BEGAN_S + 3.0)],
        "b": [(BEGAN_S + 2.0, BEGAN_S + 4.0)],
        "c": [],
    }


def test_percentiles() -> None:
    """The value that so many do not exceed."""
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.99) == 4.0
    assert math.isnan(percentile([], 0.5))
