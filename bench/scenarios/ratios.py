"""The figures that compare two sides: of their rates, and of their CPU per request."""

import msgspec

from bench.results import Figure, ratio
from bench.scenarios.sides import Turns, cpu, rate

Limits = tuple[float | None, float | None]
"""Aim and floor."""
NO_LIMITS: Limits = (None, None)
LOAD_LIMITED = "the load was the limit"


def rates(
    turns: Turns, what: str, mine: str, other: str, limits: Limits = NO_LIMITS
) -> Figure:
    """Return the ratio of two rates.

    Where the load was the limit of either side there is nothing to judge, and a note
    says so: the name stays, so that two runs can be compared.
    """
    is_limited = turns.is_limited_by_load(mine) or turns.is_limited_by_load(other)
    aim, floor = NO_LIMITS if is_limited else limits
    over, under = turns.values(mine, rate), turns.values(other, rate)
    found = ratio(f"{what} / {other}", over, under, aim=aim, floor=floor)
    return msgspec.structs.replace(found, note=LOAD_LIMITED if is_limited else "")


def cpus(
    turns: Turns, what: str, mine: str, other: str, limits: Limits = NO_LIMITS
) -> list[Figure]:
    """Return the ratio of the CPU per request; none where one side runs elsewhere."""
    over, under = turns.values(mine, cpu), turns.values(other, cpu)
    if not over or not under:
        return []
    name = f"CPU per {what} / {other}"
    return [ratio(name, over, under, aim=limits[0], floor=limits[1], better="lower")]


def per_core(
    turns: Turns, what: str, mine: str, other: str, limits: Limits = NO_LIMITS
) -> list[Figure]:
    """Return how many times as much a core does for us; none as with ``cpus``.

    Whatever was the limit of the rates, and however many cores a side had.
    """
    over, under = turns.values(other, cpu), turns.values(mine, cpu)
    if not over or not under:
        return []
    name = f"{what} / {other}, per core"
    return [ratio(name, over, under, aim=limits[0], floor=limits[1])]
