"""Figures: how they come of turns, what they are judged by, that they come back."""

from pathlib import Path

import msgspec
import pytest

from bench.results import Run, figure, load, number, ratio, save, unjudged
from tests.unit.bench import runs


def test_a_figure_is_the_median_with_the_range_of_the_turns() -> None:
    """One slow turn of a shared machine must not move it."""
    found = figure("read", [3.0, 90.0, 1.0], "us")

    assert (found.value, found.spread) == (3.0, (1.0, 90.0))


def test_a_ratio_is_taken_turn_by_turn() -> None:
    """The medians of two sides may come of turns that met another machine."""
    found = ratio("a / b", over=[10.0, 2.0, 30.0], under=[10.0, 1.0, 20.0])

    assert (found.value, found.spread) == (1.5, (1.0, 2.0))


def test_a_ratio_to_nothing_is_refused() -> None:
    """Infinity in a figure would hide a side that did not answer."""
    with pytest.raises(ValueError, match="nothing to compare with"):
        ratio("a / b", over=[1.0], under=[0.0])


@pytest.mark.parametrize(
    ("better", "value", "verdict"),
    [
        ("higher", 0.92, "aim"),
        ("higher", 0.90, "floor"),
        ("higher", 0.80, "missed"),
        ("lower", 0.85, "floor"),
        ("lower", 0.80, "aim"),
        ("lower", 0.90, "missed"),
    ],
)
def test_a_figure_is_judged_in_its_direction(
    better: str, value: float, verdict: str
) -> None:
    """The limit itself is reached, from either side."""
    aim, floor = (0.92, 0.85) if better == "higher" else (0.80, 0.85)
    found = msgspec.structs.replace(
        figure("x", [value], "", aim=aim, floor=floor),
        better=better,
    )

    assert found.verdict == verdict


def test_a_figure_without_limits_has_no_verdict() -> None:
    """Some are only told."""
    assert figure("x", [1.0], "").verdict == ""


def test_a_run_comes_back_from_its_file(tmp_path: Path) -> None:
    """Two runs are compared long after they were made."""
    made = runs.run(runs.outcome(figure("x", [1.0, 2.0], "us", aim=3.0)))
    made = msgspec.structs.replace(made, made=runs.made())
    path = tmp_path / "run.json"

    save(made, path)

    assert load(path) == made


def test_a_run_of_before_it_was_told_how_it_was_made_is_read(tmp_path: Path) -> None:
    """Files are kept for years."""
    path = tmp_path / "run.json"
    path.write_text('{"at":"now","machine":"m","commit":"c","outcomes":[]}')

    assert (load(path).made, load(path).caveat) == (None, "")


def test_a_run_says_why_it_is_not_judged() -> None:
    """With tiny numbers, or where the load takes from the servers."""
    assert runs.made().caveat == ""
    assert "one turn" in runs.made(is_quick=True).caveat
    assert "two are needed" in runs.made(cores=1).caveat
    both = runs.made(is_quick=True, cores=1).caveat
    assert "one turn" in both
    assert "two are needed" in both


def test_what_is_not_judged_keeps_its_figures() -> None:
    """It has nothing to reach."""
    judged = figure("x", [1.0, 2.0], "us", aim=3.0, floor=0.5)

    (found,) = unjudged(runs.outcome(judged)).figures

    assert (found.value, found.spread, found.verdict) == (1.5, (1.0, 2.0), "")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    """The reason says what is missing."""
    path = tmp_path / "run.json"
    path.write_text('{"at": "now"}')

    with pytest.raises(msgspec.ValidationError, match="machine"):
        load(path)


def test_a_turn_that_took_no_time_has_no_rate() -> None:
    """Rather than an error in a report."""
    made = msgspec.structs.replace(runs.sample(), seconds=0.0)

    assert made.rate_per_s == 0.0


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0"),
        (0.91234, "0.912"),
        (0.000012, "0.0000"),
        (10.46, "10.5"),
        (99.9, "99.9"),
        (123.4, "123"),
        (1_234_567.0, "1,234,567"),
        (-0.5, "-0.500"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float, told: str) -> None:
    """More of them would only be noise."""
    assert number(value) == told


def test_an_empty_run_can_be_saved(tmp_path: Path) -> None:
    """Nothing found is a result as well."""
    save(Run("now", "m", "c", ()), tmp_path / "run.json")

    assert load(tmp_path / "run.json").outcomes == ()
