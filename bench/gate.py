"""What must hold on any machine, however busy: `make bench-gate`.

Rates say little on a shared machine, so none is judged: only the CPU time in process,
and the CPU time per request beside that of a responder which does nothing, each in
turns within one run. What is missed is measured once more before it counts.
"""

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from rich.console import Console

from bench import in_process
from bench.figures import machine
from bench.peers.peer import SERVICE
from bench.peers.table import opened
from bench.results import Figure, Outcome, figure, ratio
from bench.scenarios.sides import (
    OURS,
    RAW,
    Pace,
    answer,
    cpu,
    fill,
    interleaved,
    reading,
    setting,
)
from bench.scenarios.stage import Stage
from bench.screen import WIDTH, add_rows, make_table

ATTEMPTS = 2
INSTANCES = 5
PACE = Pace(turns=5, seconds=1.0, connections=64)
WORKLOAD = (
    "The same list of five instances is read, in process and over 64 connections."
)

Measure = Callable[[Path], list[Figure]]


def main() -> int:
    """Measure and judge; return 1 if a floor is missed twice."""
    print(machine(), flush=True)
    began_s = time.monotonic()
    code = judge((in_process_figures, cpu_figures), print)
    print(f"{'red' if code else 'green'} after {time.monotonic() - began_s:.0f} s")
    return code


def judge(measures: Iterable[Measure], tell: Callable[[str], None]) -> int:
    """Measure each; again where it misses a floor. 1 if it does so twice."""
    code = 0
    for measure in measures:
        missed: list[str] = []
        for attempt in range(ATTEMPTS):
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                found = measure(Path(folder))
            _show(found)
            missed = [one.name for one in found if one.verdict == "missed"]
            if not missed:
                break
            again = ", measured once more" if attempt + 1 < ATTEMPTS else ""
            tell(f"missed: {'; '.join(missed)}{again}")
        code = max(code, int(bool(missed)))
    return code


def in_process_figures(_folder: Path) -> list[Figure]:
    """Return the ratios that need no socket."""
    return in_process.measure()


def cpu_figures(folder: Path) -> list[Figure]:
    """Return the CPU time of a real replica per read, over the raw responder's."""
    stage = Stage(quick=False, folder=folder, peers={}, url=None, tell=_silent)
    with opened([OURS], setting(stage)) as ((mine,), _):
        fill(mine, {SERVICE: INSTANCES})
        read = mine.words.read(SERVICE)
        of_raw = msgspec.structs.replace(
            setting(stage),
            folder=folder / "beside",
            answer=answer(mine.urls[0], read),
        )
        with opened([RAW], of_raw) as ((raw,), _):
            sides = [reading(peer, [read], peer.name) for peer in (mine, raw)]
            turns = interleaved(stage, sides, PACE)
    if errors := sum(sample.errors for sample in turns.samples):
        raise RuntimeError(f"{errors} reads failed")
    ours, theirs = turns.values(OURS, cpu), turns.values(RAW, cpu)
    if not ours:
        print("The CPU time of processes is not told here: nothing is judged by it.")
        return []
    name = "CPU per request: a replica / raw uvloop responder"
    return [
        ratio(name, ours, theirs, aim=1.10, floor=1.25, better="lower"),
        figure("CPU per request of a replica", ours, "us", better="lower"),
    ]


def _show(found: Iterable[Figure]) -> None:
    table = make_table()
    add_rows(table, Outcome("gate", WORKLOAD, (), tuple(found), ()))
    Console(highlight=False, width=WIDTH).print(table)


def _silent(_: str) -> None:
    """Nobody looks at single turns here."""
