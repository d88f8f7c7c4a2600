"""The gate is red only when a floor is missed twice in a row."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bench.gate import judge
from bench.results import Figure, figure

Measure = Callable[[Path], list[Figure]]


def measuring(*values: float) -> Measure:
    """Return a measurement that finds one value after another; at least 20 wanted."""
    found: Iterator[float] = iter(values)

    def measure(folder: Path) -> list[Figure]:
        assert list(folder.iterdir()) == []
        return [figure("ratio", [next(found)], "x", aim=35.0, floor=20.0)]

    return measure


def told(*measures: Measure) -> tuple[int, list[str]]:
    """Return the exit code and what was said."""
    lines: list[str] = []
    return judge(measures, lines.append), lines


def test_what_reaches_its_floor_is_green_at_once() -> None:
    """A second measurement would only take time."""
    assert told(measuring(21.0)) == (0, [])


def test_what_misses_once_is_measured_again() -> None:
    """A shared machine has bad moments."""
    code, lines = told(measuring(19.0, 21.0))

    assert code == 0
    assert lines == ["missed: ratio, measured once more"]


def test_what_misses_twice_is_red() -> None:
    """It is named both times."""
    code, lines = told(measuring(19.0, 19.5), measuring(30.0))

    assert code == 1
    assert lines == ["missed: ratio, measured once more", "missed: ratio"]


def test_two_figures_that_miss_once_each_are_no_red() -> None:
    """The second time tells that the first was a bad moment."""
    rounds = iter(((19.0, 30.0), (30.0, 19.0)))

    def measure(_folder: Path) -> list[Figure]:
        return [
            figure(name, [value], "x", floor=20.0)
            for name, value in zip(("a", "b"), next(rounds), strict=True)
        ]

    assert told(measure) == (0, ["missed: a, measured once more"])


def test_where_nothing_can_be_measured_nothing_is_judged() -> None:
    """The CPU time of other processes is told by Linux only."""
    assert told(lambda _folder: []) == (0, [])
