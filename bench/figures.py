"""What a measurement found, beside its target, and the machine that it was found on."""

import math
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_CPU_CLOCK = 2


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. ``target`` is told in words; ``met`` is None where there is none."""

    name: str
    value: str
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure with: the real thing, or just enough to see that it runs."""

    requests: int
    """Of a sequential measurement."""
    seconds: float
    """Of a measurement under load, per turn."""
    turns: int
    """Of each side in an interleaved comparison."""
    registrations: int
    """That the catalog holds."""
    connections: int


FULL = Size(requests=1_000, seconds=4.0, turns=5, registrations=100_000, connections=64)
QUICK = Size(requests=20, seconds=0.2, turns=1, registrations=300, connections=8)

Measure = Callable[[Size, Path], list[Figure]]
"""Measures in an empty folder."""


def at_most(name: str, value: float, limit: float, unit: str) -> Figure:
    """Return a figure that should not exceed ``limit``."""
    return Figure(
        name, f"{value:,.2f} {unit}", f"<= {limit:g} {unit}", met=value <= limit
    )


def at_least(name: str, value: float, limit: float, unit: str) -> Figure:
    """Return a figure that should reach ``limit``."""
    return Figure(
        name, f"{value:,.0f} {unit}", f">= {limit:,.0f} {unit}", met=value >= limit
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU seconds that processes have used, system time included (Linux).

    By the clock that each process has, to the nanosecond: the ticks of /proc are 10 ms,
    which is too coarse for what an idle process uses. OSError if one has ended.
    """
    clocks = (~pid << 3 | _CPU_CLOCK for pid in pids)  # as clock_getcpuclockid(3) says
    return sum(time.clock_gettime_ns(clock) for clock in clocks) / 1e9


def machine() -> str:
    """Describe what this runs on, and how busy others keep it."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load average {load}"
    )


def table(figures: Sequence[Figure]) -> str:
    """Render the figures for a terminal, and for Markdown as well."""
    verdicts = {True: "met", False: "MISSED", None: ""}
    rows = [("figure", "measured", "target", "")]
    rows += [(f.name, f.value, f.target, verdicts[f.met]) for f in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
