"""The pictures of a report, as SVG to be put into a page.

matplotlib is a dependency of development only, so it is imported when a picture is
drawn. Backgrounds are clear and lines of middle brightness: they are read on light and
on dark pages. Text stays text.
"""

import io
import math
import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from bench.results import Figure, Outcome, Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")
COLOURS = ("#2a7de1", "#e07b00", "#12936f", "#9a5fd6", "#d64550", "#7a8a00", "#888780")
INK = "#84827b"
SIZE_IN = (7.6, 3.4)
LEAST_POINTS = 3
"""Of a growth curve: two are a ratio, not a curve."""

_AT = re.compile(r"(?P<what>.+) at (?P<count>[\d,]+) instances")

Draw = Callable[["Axes"], None]


class PlotsMissing(Exception):
    """There is no matplotlib here; all but the report works without it."""


def pictures(outcome: Outcome) -> list[tuple[str, str]]:
    """Return a title and an SVG for each picture that the outcome has data for.

    Raises:
        PlotsMissing: matplotlib is not installed.
    """
    found: list[tuple[str, str]] = []
    drawings: Iterable[tuple[str, Draw | None]] = (
        ("Answers per second, median and range of the turns", _rates(outcome)),
        ("Latency by percentile", _latencies(outcome)),
        (
            "Answers per second over time, median and range of the turns",
            _steps(outcome),
        ),
        *_growth(outcome),
    )
    for title, draw in drawings:
        if draw is not None:
            found.append((title, _svg(draw, salt=f"{outcome.scenario} {title}")))
    return found


def growth(figures: Sequence[Figure]) -> dict[str, list[tuple[int, Figure]]]:
    """Return the figures that are told for some numbers of instances, by what they say.

    They are named "... at 10,000 instances"; only those with enough points.
    """
    curves: dict[str, list[tuple[int, Figure]]] = {}
    for figure in figures:
        if match := _AT.fullmatch(figure.name):
            count = int(match["count"].replace(",", ""))
            curves.setdefault(match["what"], []).append((count, figure))
    return {
        what: sorted(points, key=lambda point: point[0])
        for what, points in curves.items()
        if len(points) >= LEAST_POINTS
    }


def by_side(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return the samples of each side, in the order in which they came."""
    sides: dict[str, list[Sample]] = {}
    for sample in samples:
        sides.setdefault(sample.side, []).append(sample)
    return sides


# -- one picture each; None where there is nothing to draw


def _rates(outcome: Outcome) -> Draw | None:
    sides = by_side(s for s in outcome.samples if s.requests)
    if len(sides) < 2:
        return None

    def draw(axes: "Axes") -> None:
        for row, (_, samples) in enumerate(sides.items()):
            rates = [sample.rate_per_s for sample in samples]
            middle = statistics.median(rates)
            axes.barh(row, middle, color=_colour(row), alpha=0.75, height=0.6)
            axes.plot([min(rates), max(rates)], [row, row], color=INK, linewidth=2)
        axes.set_yticks(range(len(sides)), list(sides))
        axes.invert_yaxis()
        axes.set_xlabel("per second")
        axes.xaxis.set_major_formatter(_thousands)

    return draw


def _latencies(outcome: Outcome) -> Draw | None:
    sides = by_side(s for s in outcome.samples if s.latency_us)
    if not sides:
        return None

    def draw(axes: "Axes") -> None:
        for number, (side, samples) in enumerate(sides.items()):
            points = [
                (place, statistics.median(values) / 1e3)
                for place, name in enumerate(PERCENTILES)
                if (
                    values := [
                        s.latency_us[name] for s in samples if name in s.latency_us
                    ]
                )
            ]
            axes.plot(
                [place for place, _ in points],
                [value_ms for _, value_ms in points],
                color=_colour(number),
                marker="o",
                label=side,
            )
        axes.set_xticks(range(len(PERCENTILES)), PERCENTILES)
        axes.set_yscale("log")
        axes.set_ylabel("ms")
        axes.yaxis.set_major_formatter(_thousands)
        _legend(axes)

    return draw


def _steps(outcome: Outcome) -> Draw | None:
    sides = by_side(s for s in outcome.samples if len(s.rate_by_second) > 1)
    if not sides:
        return None

    def draw(axes: "Axes") -> None:
        for number, (side, samples) in enumerate(sides.items()):
            length = min(len(sample.rate_by_second) for sample in samples)
            columns = [[s.rate_by_second[at] for s in samples] for at in range(length)]
            times_s = [at * samples[0].step_s for at in range(length)]
            middle = [statistics.median(column) for column in columns]
            lows, highs = [min(c) for c in columns], [max(c) for c in columns]
            colour = _colour(number)
            axes.plot(times_s, middle, color=colour, label=side)
            axes.fill_between(times_s, lows, highs, color=colour, alpha=0.2)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("seconds")
        axes.set_ylabel("per second")
        axes.yaxis.set_major_formatter(_thousands)
        _legend(axes)

    return draw


def _growth(outcome: Outcome) -> list[tuple[str, Draw | None]]:
    return [
        (f"Growth: {what}", _curve(points))
        for what, points in growth(outcome.figures).items()
    ]


def _curve(points: Sequence[tuple[int, Figure]]) -> Draw:
    def draw(axes: "Axes") -> None:
        counts = [count for count, _ in points]
        figures = [figure for _, figure in points]
        axes.plot(counts, [f.value for f in figures], color=COLOURS[0], marker="o")
        lows = [figure.spread[0] for figure in figures]
        highs = [figure.spread[1] for figure in figures]
        axes.fill_between(counts, lows, highs, color=COLOURS[0], alpha=0.2)
        axes.set_xscale("log")
        axes.set_xticks(counts, [f"{count:,}" for count in counts])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel("instances")
        axes.set_ylabel(figures[0].unit)

    return draw


# -- what they share


def _svg(draw: Draw, *, salt: str) -> str:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure as Picture
    except ImportError as error:
        raise PlotsMissing(
            "a report needs matplotlib, which is in the dependency group dev: "
            "`make check` installs it"
        ) from error
    with mpl.rc_context():
        mpl.rc("svg", fonttype="none", hashsalt=salt)  # ids of one page must differ
        mpl.rc("font", size=9)
        mpl.rc("text", color=INK, parse_math=False)
        mpl.rc("axes", edgecolor=INK, labelcolor=INK)
        mpl.rc("axes.spines", top=False, right=False)
        mpl.rc("xtick", color=INK)
        mpl.rc("ytick", color=INK)
        picture = Picture(figsize=SIZE_IN, layout="constrained")
        draw(picture.add_subplot())
        text = io.StringIO()
        picture.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _thousands(value: float, _place: float | None = None) -> str:
    if 0 < abs(value) < 1:
        return f"{value:.{max(1, -math.floor(math.log10(abs(value))))}f}"
    return f"{value:,.0f}"


def _legend(axes: "Axes") -> None:
    axes.legend(frameon=False, loc="best", fontsize=8)
