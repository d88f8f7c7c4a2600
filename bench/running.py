"""One run: scenarios and measurements one after another, and what comes of it."""

import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import figures, report
from bench.plots import PlotsMissing
from bench.results import FOLDER, Outcome, Run, save
from bench.scenarios import SCENARIOS, measured, scenario
from bench.scenarios.stage import Stage
from bench.screen import Screen

TOP = Path(__file__).parents[1]


class Choice(msgspec.Struct, frozen=True):
    """What was asked for at the command line."""

    names: tuple[str, ...]
    quick: bool
    folder: Path | None
    """Where data is written: the disk that is measured."""
    peers: Mapping[str, str]
    url: str | None
    json: Path | None
    html: Path | None


def run(
    choice: Choice, measurements: Mapping[str, figures.Measure]
) -> tuple[Run, list[figures.Figure]]:
    """Run what was chosen; return it, and what measurements found, in their words.

    What one scenario found stays when a later one fails: it is written first.
    """
    at = datetime.now(UTC)
    size = figures.QUICK if choice.quick else figures.FULL
    outcomes: list[Outcome] = []
    told: list[figures.Figure] = []
    print(figures.machine(), flush=True)
    if choice.quick:
        print("--quick: one short turn each; its figures only show that it works")
    try:
        with Screen() as screen:
            for number, name in enumerate(choice.names, 1):
                place = f"{number} of {len(choice.names)}, {name}"
                screen.tell(f"{place} …")
                with tempfile.TemporaryDirectory(
                    dir=choice.folder, prefix="bench-"
                ) as folder:
                    if name in SCENARIOS:
                        stage = _stage(choice, place, Path(folder), screen)
                        outcome = scenario(name)(stage)
                        screen.add(outcome)
                    else:
                        found = measurements[name](size, Path(folder))
                        told += found
                        words = (measurements[name].__doc__ or name).partition("\n")
                        outcome = measured.outcome(name, words[0], [found])
                outcomes.append(outcome)
    finally:
        result = Run(
            at=at.isoformat(timespec="seconds"),
            machine=figures.machine(),
            commit=commit(),
            outcomes=tuple(outcomes),
        )
        if outcomes:
            _write(result, choice, at)
    return result, told


def commit() -> str:
    """Name the state of the code; "?" outside a clone."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=10"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "?"


def _stage(choice: Choice, place: str, folder: Path, screen: Screen) -> Stage:
    return Stage(
        quick=choice.quick,
        folder=folder,
        peers=choice.peers,
        url=choice.url,
        tell=lambda line: screen.tell(f"{place}: {line}"),
    )


def _write(result: Run, choice: Choice, at: datetime) -> None:
    # Runs with tiny numbers are looked at once, if at all: each replaces the last.
    stem = "quick" if choice.quick else at.strftime("%Y-%m-%dT%H%M%SZ")
    json = choice.json or FOLDER / f"{stem}.json"
    html = choice.html or json.with_suffix(".html")
    save(result, json)
    print(f"results: {json}")
    try:
        report.write(result, html)
    except PlotsMissing as missing:
        print(f"no report: {missing}; then: python -m bench report {json}")
    else:
        print(f"report: {html}")
