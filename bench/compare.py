"""What changed between two runs, beyond noise: `bench compare A.json B.json`.

A ratio of two sides, a size or a count has changed when the ranges of its turns have
nothing in common and its medians are more than 5 % apart. Times and rates are told and
not judged: what else a machine does differs more between two runs than within one. Of
figures of one turn nothing is said, nor of runs that were quick or had one core.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from bench.results import Figure, Outcome, Run, load, number

NOISE = 0.05
"""Medians may be apart by so much, whatever the ranges say."""
LEAST_TURNS = 2
JUDGED = ("x", "kB", "")
"""The units of ratios, sizes and counts: no neighbour on the machine is in them."""
TOLD = (
    "Times and rates are told, not judged: what else a machine does differs more "
    "between two runs than within one."
)
ONCE_IN_NAMES = " (the load was the limit)"
"""What names ended with where it was so; the file of such a run is still compared."""

VERDICTS = ("better", "worse", "same")
Word = Literal["better", "worse", "same", "told", "one turn", "only in A", "only in B"]


class Change(msgspec.Struct, frozen=True):
    """One figure of both runs, or of one."""

    scenario: str
    name: str
    before: Figure | None
    after: Figure | None
    word: Word

    @property
    def ratio(self) -> float | None:
        """The later median over the former; None where there is none."""
        if self.before is None or self.after is None or not self.before.value:
            return None
        return self.after.value / self.before.value


def changes(before: Run, after: Run) -> list[Change]:
    """Compare each figure, in the order of the first run.

    Where one run has a caveat nothing is judged.
    """
    ours, theirs = dict(_figures(before)), dict(_figures(after))
    found = [
        _change(*key, ours.get(key), theirs.get(key)) for key in {**ours, **theirs}
    ]
    if not (before.caveat or after.caveat):
        return found
    return [
        msgspec.structs.replace(one, word="told") if one.word in VERDICTS else one
        for one in found
    ]


def text(before: Run, after: Run) -> str:
    """Return the comparison as a table for a terminal."""
    found = changes(before, after)
    rows = [("scenario", "figure", "A", "B", "B / A", ""), *map(_row, found)]
    lines = [f"A: {_origin(before)}", f"B: {_origin(after)}"]
    if before.machine.partition(", load")[0] != after.machine.partition(", load")[0]:
        lines.append("The machines differ: only ratios can be compared.")
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines += [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines += _verdict(before, after, found)
    return "\n".join(lines)


def _verdict(before: Run, after: Run, found: Sequence[Change]) -> Iterator[str]:
    """Say how many changed, or why nobody can."""
    judged = [change.word for change in found if change.word in VERDICTS]
    if judged:
        changed = len(judged) - judged.count("same")
        yield f"{changed} of {len(judged)} that are judged changed beyond noise"
        yield TOLD
        return
    caveats = [
        f"{name}: {run.caveat}"
        for name, run in (("A", before), ("B", after))
        if run.caveat
    ]
    yield from caveats
    if caveats or any(change.word == "one turn" for change in found):
        yield "Runs of one turn or of one core cannot be compared."
    else:
        yield "They have nothing in common that is judged."


def main(paths: Sequence[Path]) -> int:
    """Print what changed. 0 whatever it is; 2 if a file is no run."""
    try:
        before, after = map(load, paths)
    except (OSError, msgspec.DecodeError) as error:
        print(f"no run of ours: {error}")
        return 2
    print(text(before, after))
    return 0


_Key = tuple[str, str]
_Told = tuple[Figure, int]
"""A figure, and in how many turns it was measured."""


def _figures(run: Run) -> Iterator[tuple[_Key, _Told]]:
    for outcome in run.outcomes:
        for figure in outcome.figures:
            name = figure.name.replace(ONCE_IN_NAMES, "")
            yield (outcome.scenario, name), (figure, _turns(outcome, figure))


def _turns(outcome: Outcome, figure: Figure) -> int:
    """How often it was measured, as far as can be seen: a range needs two turns."""
    if figure.spread[0] < figure.spread[1]:
        return LEAST_TURNS
    return len({sample.turn for sample in outcome.samples})


def _change(
    scenario: str, name: str, before: _Told | None, after: _Told | None
) -> Change:
    old = None if before is None else before[0]
    new = None if after is None else after[0]
    return Change(scenario, name, old, new, _word(before, after))


def _word(before: _Told | None, after: _Told | None) -> Word:
    if before is None:
        return "only in B"
    if after is None:
        return "only in A"
    old, new = before[0], after[0]
    if min(before[1], after[1]) < LEAST_TURNS:
        return "one turn"
    if new.unit not in JUDGED or any(map(_is_noted, (old, new))):
        return "told"
    is_apart = old.spread[1] < new.spread[0] or new.spread[1] < old.spread[0]
    if not is_apart or abs(new.value - old.value) <= NOISE * abs(old.value):
        return "same"
    is_higher = new.value > old.value
    return "better" if is_higher == (new.better == "higher") else "worse"


def _is_noted(figure: Figure) -> bool:
    """Whether it comes with a reservation, so that it was not judged in its own run."""
    return bool(figure.note) or figure.name.endswith(ONCE_IN_NAMES)


def _origin(run: Run) -> str:
    busy = "".join(run.machine.partition("load ")[1:])
    return ", ".join(filter(None, (run.at, run.commit, busy)))


def _row(change: Change) -> tuple[str, ...]:
    ratio = change.ratio
    return (
        change.scenario,
        change.name,
        _median(change.before),
        _median(change.after),
        "" if ratio is None else f"{ratio:.2f}",
        f"changed: {change.word}"
        if change.word in ("better", "worse")
        else change.word,
    )


def _median(figure: Figure | None) -> str:
    return "" if figure is None else f"{number(figure.value)} {figure.unit}"
