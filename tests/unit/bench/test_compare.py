"""Two runs: what is told as a change, and what is noise."""

from pathlib import Path
from typing import Literal

import msgspec
import pytest

from bench import compare
from bench.results import Figure, Made, figure, save
from tests.unit.bench import runs


def read_rate(*values: float, better: Literal["higher", "lower"] = "higher") -> Figure:
    """Return the same figure of some turns."""
    return figure("read / raw", values, "x", better=better)


def word(before: Figure, after: Figure, *, turns: int = 3) -> str:
    """Compare two runs of one figure."""
    (change,) = compare.changes(
        runs.run(runs.outcome(before, turns=turns)),
        runs.run(runs.outcome(after, turns=turns)),
    )
    return change.word


def test_ranges_apart_and_medians_apart_are_a_change() -> None:
    """In the direction in which the figure counts."""
    low, high = (0.70, 0.71, 0.72), (0.90, 0.91, 0.92)

    assert word(read_rate(*low), read_rate(*high)) == "better"
    assert word(read_rate(*high), read_rate(*low)) == "worse"
    assert (
        word(read_rate(*low, better="lower"), read_rate(*high, better="lower"))
        == "worse"
    )


def test_ranges_that_meet_are_no_change() -> None:
    """Each run had a turn as good as the other's."""
    assert word(read_rate(0.7, 0.8, 0.9), read_rate(0.9, 1.2, 1.3)) == "same"


def test_medians_within_five_per_cent_are_no_change() -> None:
    """However steady the turns were: the next run may lie elsewhere."""
    assert word(read_rate(1.0, 1.0, 1.001), read_rate(1.04, 1.04, 1.05)) == "same"


def test_of_single_turns_nothing_is_said() -> None:
    """They have no range, so whatever lies between them may be noise."""
    assert word(read_rate(1.0), read_rate(9.0), turns=1) == "one turn"


def test_equal_turns_are_a_range_too() -> None:
    """A count of failures is the same in each turn, and may still change."""
    assert word(read_rate(0.0, 0.0), read_rate(2.0, 2.0)) == "better"


def test_a_figure_of_one_run_is_told_as_such() -> None:
    """Peers are not always here."""
    name = figure("read / nginx", [1.0], "x")

    found = compare.changes(
        runs.run(runs.outcome(name)), runs.run(runs.outcome(read_rate(1.0)))
    )

    assert [change.word for change in found] == ["only in A", "only in B"]
    assert [change.ratio for change in found] == [None, None]


@pytest.mark.parametrize("unit", ["us", "requests/s", "% of a core", "s"])
def test_times_and_rates_are_told_and_not_judged(unit: str) -> None:
    """Two runs of the same code may differ by a third: the neighbours did."""
    before, after = figure("read", [92.0, 93.0], unit), figure("read", [121.0], unit)

    assert word(before, after) == "told"


@pytest.mark.parametrize("unit", ["x", "kB", ""])
def test_ratios_sizes_and_counts_are_judged(unit: str) -> None:
    """Neighbours are on both sides of them, or on none."""
    before = figure("it", [1.0, 1.1], unit, better="lower")
    after = figure("it", [2.0, 2.1], unit, better="lower")

    assert word(before, after) == "worse"


def test_a_figure_that_once_was_named_otherwise_is_still_found() -> None:
    """Where the load was the limit its name said so; now a note does."""
    old = figure("read / raw (the load was the limit)", [1.0, 1.1], "x")

    assert word(old, read_rate(2.0, 2.1)) == "told"


def test_a_figure_with_a_note_is_told() -> None:
    """It was not judged in its own run either."""
    noted = msgspec.structs.replace(read_rate(1.0, 1.1), note="the load was the limit")

    assert word(noted, read_rate(2.0, 2.1)) == "told"


@pytest.mark.parametrize(
    ("made", "reason"),
    [(runs.made(is_quick=True), "quick"), (runs.made(cores=1), "one core")],
)
def test_runs_with_a_caveat_are_not_compared(made: Made, reason: str) -> None:
    """Nothing changed would be as wrong as something did."""
    before = runs.run(runs.outcome(read_rate(1.0, 1.1)))
    after = msgspec.structs.replace(
        runs.run(runs.outcome(read_rate(2.0, 2.1))), made=made
    )

    text = compare.text(before, after)
    assert f"B: {reason}" in text
    assert "cannot be compared" in text
    assert "beyond noise" not in text


def test_runs_of_other_scenarios_have_nothing_to_compare() -> None:
    """Rather than that nothing has changed."""
    one, other = read_rate(1.0, 1.1), read_rate(1.0, 1.1)
    text = compare.text(
        runs.run(runs.outcome(one)), runs.run(runs.outcome(other, scenario="many"))
    )

    assert "nothing in common" in text


def test_the_table_counts_what_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 0: it is the reader who judges."""
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    save(runs.run(runs.outcome(read_rate(1.0, 1.1))), paths[0])
    save(runs.run(runs.outcome(read_rate(2.0, 2.2))), paths[1])

    assert compare.main(paths) == 0
    out = capsys.readouterr().out
    assert "changed: better" in out
    assert "2.00" in out
    assert "1 of 1 that are judged changed beyond noise" in out
    assert compare.TOLD in out


def test_other_machines_are_told() -> None:
    """Only the load may differ; that it does every time."""
    before = runs.run()
    after = type(before)(before.at, "another, load 2.0", before.commit, ())
    busier = type(before)(before.at, "a machine, load 9.9", before.commit, ())

    assert "machines differ" in compare.text(before, after)
    assert "machines differ" not in compare.text(before, busier)


def test_what_is_no_run_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told in words, without a traceback."""
    assert compare.main([tmp_path / "none.json", tmp_path / "none.json"]) == 2
    assert "no run of ours" in capsys.readouterr().out
