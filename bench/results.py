"""What a run of the benchmarks found: its schema, and its JSON on disk.

    Run
    +- Outcome            one scenario
       +- Sample          one turn of one side
       +- Figure          one number that is judged, over all turns

Samples are kept whole, so that a report can be drawn again and two runs compared later.
"""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

FOLDER = Path(__file__).parent / "results"
"""Where runs are written, unless told otherwise; git ignores it."""


class Figure(msgspec.Struct, frozen=True):
    """One number: the median of the turns, and between which it lay in them."""

    name: str
    value: float
    unit: str
    spread: tuple[float, float]
    """The least and the greatest of the turns."""
    aim: float | None
    floor: float | None
    """What must hold, where ``aim`` is what we want; a limit if less is better."""
    better: Literal["higher", "lower"]

    @property
    def verdict(self) -> Literal["aim", "floor", "missed", ""]:
        """Which of both it reached; "" where there is none."""
        if self.aim is not None and self._reaches(self.aim):
            return "aim"
        if self.floor is not None and self._reaches(self.floor):
            return "floor"
        return "" if self.aim is None and self.floor is None else "missed"

    def _reaches(self, wanted: float) -> bool:
        if self.better == "higher":
            return self.value >= wanted
        return self.value <= wanted


class Sample(msgspec.Struct, frozen=True):
    """One turn of one side."""

    side: str
    turn: int
    requests: int
    errors: int
    seconds: float
    cpu_us_per_request: float | None
    """Of the servers; of reads without ``idle_share``."""
    latency_us: dict[str, float]
    """By "p50", "p90", "p99", "p99.9", "max"; empty where no latency was taken."""
    rate_by_second: tuple[float, ...]
    """Answers per second in each step of the turn; empty where nobody counted."""
    step_s: float = 1.0
    """How long a step is: shorter where something short is to be seen."""
    idle_share: float | None = None
    """Of a core, that the servers use while nobody asks; None where it is not told."""

    @property
    def rate_per_s(self) -> float:
        """Answers per second over the whole turn."""
        return self.requests / self.seconds if self.seconds else 0.0


class Outcome(msgspec.Struct, frozen=True):
    """What one scenario found."""

    scenario: str
    workload: str
    """In one plain sentence."""
    samples: tuple[Sample, ...]
    figures: tuple[Figure, ...]
    absent: tuple[str, ...]
    """The peers that were not here."""


class Run(msgspec.Struct, frozen=True):
    """All that was measured in one go, on one machine, with one state of the code."""

    at: str
    """ISO 8601, UTC."""
    machine: str
    commit: str
    outcomes: tuple[Outcome, ...]


def figure(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    aim: float | None = None,
    floor: float | None = None,
    better: Literal["higher", "lower"] = "higher",
) -> Figure:
    """Return the figure of what each turn found: the median, with the spread."""
    return Figure(
        name=name,
        value=statistics.median(values),
        unit=unit,
        spread=(min(values), max(values)),
        aim=aim,
        floor=floor,
        better=better,
    )


def ratio(
    name: str,
    over: Sequence[float],
    under: Sequence[float],
    *,
    aim: float | None = None,
    floor: float | None = None,
    better: Literal["higher", "lower"] = "higher",
) -> Figure:
    """Return the median of the ratios of two sides, turn by turn.

    Both sides of one turn found the machine equally busy; their medians did not.

    Raises:
        ValueError: The side below answered nothing in a turn.
    """
    if not all(under):
        raise ValueError(f"{name}: nothing to compare with, {list(under)}")
    ratios = [mine / other for mine, other in zip(over, under, strict=True)]
    return figure(name, ratios, "x", aim=aim, floor=floor, better=better)


def number(value: float) -> str:
    """Write a number for a person: three digits that count, thousands apart."""
    if value and abs(value) < 100:
        places = max(0, 2 - math.floor(math.log10(abs(value))))
        return f"{value:.{min(places, 4)}f}"
    return f"{value:,.0f}"


def save(run: Run, path: Path) -> None:
    """Write the run as JSON; the folder is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")


def load(path: Path) -> Run:
    """Read a run. ValueError if it is none: msgspec's error says where it differs."""
    return msgspec.json.decode(path.read_bytes(), type=Run)
