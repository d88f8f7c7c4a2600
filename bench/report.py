"""A run as one HTML file that needs nothing from elsewhere."""

import shlex
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.plots import PERCENTILES, by_side, pictures
from bench.results import Figure, Made, Outcome, Run, Sample, number
from tests.chaos.page_parts import STYLE, Markup, badge, join, table, tag

VERDICTS = {"aim": "aim met", "floor": "floor held", "missed": "missed"}
GENERATORS = {"wrk": "wrk", "ours": "our own generator"}
MORE_STYLE = Markup("""
.pictures { display: flex; flex-wrap: wrap; gap: 16px; }
figure { margin: 8px 0; padding: 8px; background: var(--card);
  border: 1px solid var(--rule); border-radius: 6px; max-width: 100%; }
figcaption { color: var(--soft); font-size: 13px; }
figure svg { max-width: 100%; height: auto; }
td.n { text-align: right; }
""")


def write(run: Run, path: Path) -> None:
    """Write the report. PlotsMissing if the library that draws is not installed."""
    path.write_text(page(run), encoding="utf-8")


def page(run: Run) -> str:
    """Return the whole page."""
    title = f"Benchmarks, {run.at}"
    figures = [(o.scenario, f) for o in run.outcomes for f in o.figures]
    body = [
        tag("h1", title),
        *([tag("p", tag("strong", run.caveat))] if run.caveat else []),
        tag("p", f"{run.machine}; commit ", tag("code", run.commit)),
        *([] if run.made is None else [_made(run.made)]),
        tag(
            "p",
            "Each figure is the median of the turns; in brackets the least and the "
            "greatest of them. Absolute rates of a shared machine say little: compare "
            "the ratios and the CPU per request.",
        ),
        tag("h2", "Figures"),
        _figures(figures),
        *(part for outcome in run.outcomes for part in _scenario(outcome)),
    ]
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", STYLE, MORE_STYLE),
    )
    document = tag("html", tag("head", *head), tag("body", *body), lang="en")
    return join([Markup("<!doctype html>\n"), document, Markup("\n")])


def verdict(figure: Figure) -> str:
    """Say in words how a figure stands to its aim and its floor; "" without them."""
    return VERDICTS.get(figure.verdict, "")


def named(figure: Figure) -> str:
    """Return the name of a figure, and what is to be said of it."""
    return f"{figure.name} ({figure.note})" if figure.note else figure.name


def limit(value: float | None, figure: Figure) -> str:
    """Tell an aim or a floor of a figure, with the direction in which it counts."""
    if value is None:
        return ""
    return f"{'≥' if figure.better == 'higher' else '≤'} {number(value)}"


def spread(figure: Figure) -> str:
    """Tell between which values a figure lay."""
    low, high = map(number, figure.spread)
    return f"({low} to {high})" if low != high else ""


def _made(made: Made) -> Markup:
    versions = "".join(f"; {name}: {said}" for name, said in made.versions.items())
    return tag(
        "p",
        "Made by ",
        tag("code", shlex.join(("python", "-m", "bench", *made.arguments))),
        f"; closed loops by {GENERATORS[made.generator]}; load average "
        f"{made.load_average:.1f} at the start, {made.cores} cores to use{versions}",
    )


def _figures(figures: Iterable[tuple[str, Figure]]) -> Markup:
    rows = []
    for scenario, figure in figures:
        words = verdict(figure)
        mark = badge(words, is_good=figure.verdict != "missed") if words else Markup("")
        rows.append(
            (
                scenario,
                named(figure),
                f"{number(figure.value)} {figure.unit}",
                spread(figure),
                limit(figure.aim, figure),
                limit(figure.floor, figure),
                mark,
            )
        )
    return table(("scenario", "figure", "median", "turns", "aim", "floor", ""), rows)


def _scenario(outcome: Outcome) -> Iterator[Markup]:
    yield tag("h2", outcome.scenario)
    yield tag("p", outcome.workload)
    if outcome.absent:
        yield tag("p", f"Not here: {', '.join(outcome.absent)}")
    if outcome.samples:
        yield _sides(outcome)
        yield tag("details", tag("summary", "each turn"), _turns(outcome))
    drawn = [
        # What comes from the library is markup; its texts are escaped there.
        tag("figure", Markup(picture), tag("figcaption", title))
        for title, picture in pictures(outcome)
    ]
    if drawn:
        yield tag("div", *drawn, class_="pictures")


def _sides(outcome: Outcome) -> Markup:
    rows = []
    for side, samples in by_side(outcome.samples).items():
        cpus = [
            s.cpu_us_per_request for s in samples if s.cpu_us_per_request is not None
        ]
        rows.append(
            (
                side,
                number(statistics.median(s.rate_per_s for s in samples)),
                number(statistics.median(cpus)) if cpus else "",
                *(_latency(samples, name) for name in PERCENTILES),
                number(sum(s.errors for s in samples)),
            )
        )
    names = ("side", "per second", "CPU us each", *_in_ms(), "errors")
    return table(names, rows)


def _turns(outcome: Outcome) -> Markup:
    rows = [
        (
            sample.side,
            str(sample.turn + 1),
            number(sample.requests),
            number(sample.seconds),
            number(sample.rate_per_s),
            ""
            if sample.cpu_us_per_request is None
            else number(sample.cpu_us_per_request),
            *(_latency([sample], name) for name in PERCENTILES),
            number(sample.errors),
        )
        for sample in outcome.samples
    ]
    names = ("side", "turn", "requests", "seconds", "per second", "CPU us each")
    return table((*names, *_in_ms(), "errors"), rows)


def _in_ms() -> tuple[str, ...]:
    return tuple(f"{name}, ms" for name in PERCENTILES)


def _latency(samples: Iterable[Sample], name: str) -> str:
    values = [s.latency_us[name] for s in samples if name in s.latency_us]
    return number(statistics.median(values) / 1e3) if values else ""
