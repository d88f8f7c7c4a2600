"""One run: scenarios and measurements one after another, and what comes of it."""

import dataclasses
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import figures, origin, report
from bench.plots import PlotsMissing
from bench.results import FOLDER, Made, Outcome, Run, save, unjudged
from bench.scenarios import SCENARIOS, measured, scenario
from bench.scenarios.elsewhere import not_measured
from bench.scenarios.stage import Stage
from bench.screen import Screen

COMMAND = ".venv/bin/python -m bench"
"""As it is run in a clone, after `make bench` has made the venv."""


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
    arguments: tuple[str, ...] = ()
    """All of this, as it was written."""


def run(choice: Choice, measurements: Mapping[str, figures.Measure]) -> Run:
    """Run what was chosen; tell and return what was found.

    What one scenario found stays when a later one fails, or a signal ends the run: it
    is written first.
    """
    at = datetime.now(UTC)
    machine, state = figures.machine(), origin.commit()
    made = origin.made(choice.arguments, is_quick=choice.quick, named=choice.peers)
    outcomes: list[Outcome] = []
    told: list[figures.Figure] = []
    print(machine, flush=True)
    if made.caveat:
        print(made.caveat, flush=True)
    if choice.json is None:
        FOLDER.mkdir(exist_ok=True)
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
                        outcome = _judged(scenario(name)(stage), made)
                        screen.add(outcome)
                    elif choice.url is not None:
                        words = (measurements[name].__doc__ or name).partition("\n")
                        outcome = not_measured(name, words[0])
                        screen.add(outcome)
                    else:
                        measure = measurements[name]
                        outcome, found = _measure(name, measure, Path(folder), made)
                        told += found
                outcomes.append(outcome)
    finally:
        result = Run(
            at.isoformat(timespec="seconds"), machine, state, tuple(outcomes), made
        )
        # Before anything is told: what it is told to may be gone.
        written = _write(result, choice, at) if outcomes else []
        if told:
            print(figures.table(told))
        for line in written:
            print(line)
        if 0 < len(outcomes) < len(choice.names):
            print(f"finished: {len(outcomes)} of {len(choice.names)}")
    return result


def _judged(outcome: Outcome, made: Made) -> Outcome:
    return unjudged(outcome) if made.caveat else outcome


def _measure(
    name: str, measure: figures.Measure, folder: Path, made: Made
) -> tuple[Outcome, list[figures.Figure]]:
    """Return what a measurement found, and the same in its own words."""
    found = measure(figures.QUICK if made.is_quick else figures.FULL, folder)
    if made.caveat:
        found = [dataclasses.replace(one, target="", met=None) for one in found]
    words = (measure.__doc__ or name).partition("\n")
    return measured.outcome(name, words[0], [found]), found


def _stage(choice: Choice, place: str, folder: Path, screen: Screen) -> Stage:
    return Stage(
        quick=choice.quick,
        folder=folder,
        peers=choice.peers,
        url=choice.url,
        tell=lambda line: screen.tell(f"{place}: {line}"),
    )


def _write(result: Run, choice: Choice, at: datetime) -> list[str]:
    """Write JSON and the report; return what is to be said of them."""
    stem = at.strftime("%Y-%m-%dT%H%M%SZ") + ("-quick" if choice.quick else "")
    json = choice.json or FOLDER / f"{stem}.json"
    html = choice.html or json.with_suffix(".html")
    save(result, json)
    said = [f"results: {json}"]
    try:
        report.write(result, html)
    except PlotsMissing as missing:
        return [*said, f"no report: {missing}; then: {COMMAND} report {json}"]
    return [*said, f"report: {html}"]
