"""A measurement of before as a scenario: its figures in words become numbers.

The measurements (`bench/figures.py`) tell each figure as text, such as ``"1.30 ms"``
with the target ``"<= 1.5 ms"``. What is no single number is left out.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from bench import figures, results

_NUMBER = re.compile(r"(?P<value>[\d,]*\.?\d+) ?(?P<unit>[^,]*)")
_TARGET = re.compile(r"(?P<sign>[<>]=) (?P<value>[\d,]*\.?\d+).*")
_BETTER: dict[str, Literal["higher", "lower"]] = {">=": "higher", "<=": "lower"}


def outcome(
    name: str, workload: str, turns: Iterable[Sequence[figures.Figure]]
) -> results.Outcome:
    """Return the outcome of a measurement that was made so many times."""
    values: dict[str, list[float]] = defaultdict(list)
    last: dict[str, figures.Figure] = {}
    for turn in turns:
        for figure in turn:
            if match := _NUMBER.fullmatch(figure.value):
                values[figure.name].append(_float(match["value"]))
                last[figure.name] = figure
    return results.Outcome(
        scenario=name,
        workload=workload,
        samples=(),
        figures=tuple(_figure(last[key], found) for key, found in values.items()),
        absent=(),
    )


def _figure(figure: figures.Figure, values: Sequence[float]) -> results.Figure:
    told = _NUMBER.fullmatch(figure.value)
    assert told is not None
    target = _TARGET.fullmatch(figure.target)
    return results.figure(
        figure.name,
        values,
        told["unit"],
        floor=None if target is None else _float(target["value"]),
        better="lower" if target is None else _BETTER[target["sign"]],
    )


def _float(text: str) -> float:
    return float(text.replace(",", ""))
