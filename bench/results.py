"""What a run of the benchmarks found: its schema, and its JSON on disk.

    Run
    +- Made               how it was made: what to repeat it by
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

from bench.load.spec import Generator

FOLDER = Path(__file__).parent / "results"
"""Where runs are written, unless told otherwise; git ignores it."""
CORES = 2
"""One for the servers, one for the load."""
QUICK = "quick, one turn: figures only show that it works"
ONE_CORE = "one core: two are needed, one for the servers and one for the load"
UNJUDGED = "nothing is judged"


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
    note: str = ""

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


class Made(msgspec.Struct, frozen=True):
    """How a run was made: what to repeat it by, and to mind when it is compared."""

    arguments: tuple[str, ...]
    """Of the command line."""
    is_quick: bool
    cores: int
    """That it might use."""
    generator: Generator
    """Of the closed loops; an open one is always ours."""
    versions: dict[str, str]
    """What programs that are here say of themselves, by their name."""
    load_average: float
    """Over the minute before it began."""

    @property
    def caveat(self) -> str:
        """Why its figures are not judged; "" if they are."""
        said = [QUICK] if self.is_quick else []
        if self.cores < CORES:
            said.append(ONE_CORE)
        return "; ".join([*said, UNJUDGED]) if said else ""


class Run(msgspec.Struct, frozen=True):
    """All that was measured in one go, on one machine, with one state of the code."""

    at: str
    """ISO 8601, UTC."""
    machine: str
    commit: str
    outcomes: tuple[Outcome, ...]
    made: Made | None = None
    """None: in a file of before this was told."""

    @property
    def caveat(self) -> str:
        """Why its figures are not judged; "" if they are."""
        return "" if self.made is None else self.made.caveat


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


def unjudged(outcome: Outcome) -> Outcome:
    """Return an outcome whose figures are told, and have nothing to reach."""
    figures = tuple(
        msgspec.structs.replace(one, aim=None, floor=None) for one in outcome.figures
    )
    return msgspec.structs.replace(outcome, figures=figures)


def number(value: float) -> str:
    """Write a number for a person: three digits that count, thousands apart."""
    if value and abs(value) < 100:
        places = max(0, 2 - math.floor(math.log10(abs(value))))
        return f"{value:.{min(places, 4)}f}"
    return f"{value:,.0f}"


def save(run: Run, path: Path) -> None:
    """Write the run as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")


def load(path: Path) -> Run:
    """Read a run. ValueError if it is none: msgspec's error says where it differs."""
    return msgspec.json.decode(path.read_bytes(), type=Run)
