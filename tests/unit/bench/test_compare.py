"""Two runs: what is told as a change, and what is noise."""

from pathlib import Path
from typing import Literal

import pytest

from bench import compare
from bench.results import Figure, figure, save
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
    assert "1 of 1 changed beyond noise" in out


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
