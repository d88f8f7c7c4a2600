"""Reads of one service, by as many clients as keep the server busy: `discovery`."""

from collections.abc import Sequence

import msgspec

from bench.peers.peer import SERVICE, Peer
from bench.peers.table import extra, opened, opened_one
from bench.results import Figure, Outcome, figure
from bench.scenarios.ratios import NO_LIMITS, Limits, cpus, per_core, rates
from bench.scenarios.sides import (
    OURS,
    RAW,
    Turns,
    answer,
    cpu,
    fill,
    idle_percent,
    interleaved,
    listed,
    pace,
    rate,
    reading,
    setting,
)
from bench.scenarios.stage import Stage

WORKLOAD = (
    "64 connections read one service of 5 instances (and of 1 and 50) at one replica "
    "of three, each as fast as it is answered; servers on one core, load on another"
)
WHAT = "discovery read"
INSTANCES = 5
OTHER_SIZES = (1, 50)
OTHERS = ("idle", "nginx", "etcd", "seed", "consul")
LIMITS: dict[str, Limits] = {
    RAW: (0.92, 0.85),
    "idle": (5.5, 4.0),
    "nginx": (1.5, 1.2),
    "seed": (1.2, 1.0),
}
"""Of our rate over that of each, at INSTANCES."""
PER_CORE_LIMITS: dict[str, Limits] = {"etcd": (20.0, 15.0)}
"""Of how many reads a core's time is good for: etcd uses several of them at once."""
CPU_LIMITS: Limits = (1.10, 1.25)


def run(stage: Stage) -> Outcome:
    """Compare with all peers at 5 instances, with the raw responder at 1 and 50."""
    with opened_one(OURS, setting(stage)) as mine:
        others = [RAW, *OTHERS, *extra(stage.peers)]
        turns, absent = compare(stage, mine, INSTANCES, others)
        samples = list(turns.samples)
        figures = judge(turns)
        for count in () if stage.quick else OTHER_SIZES:
            turns, _ = compare(stage, mine, count, [RAW])
            samples += turns.samples
            figures += _judge_size(turns, count)
    return Outcome(
        scenario="discovery",
        workload=WORKLOAD,
        samples=tuple(samples),
        figures=tuple(figures),
        absent=tuple(absent),
    )


def compare(
    stage: Stage, mine: Peer, count: int, others: Sequence[str]
) -> tuple[Turns, list[str]]:
    """Read a service of so many instances, of ours and of others; tell who is absent.

    All that have one constant answer have the one that ours gives.
    """
    service = f"{SERVICE}-{count}"
    fill(mine, {service: count})
    sent = answer(mine.urls[0], mine.words.read(service))
    there = len(listed(mine.urls[0], mine.words.read(service)))
    assert there == count, f"{there} instances are listed, not {count}"
    own = msgspec.structs.replace(
        setting(stage), folder=stage.folder / f"of-{count}", answer=sent
    )
    with opened(others, own) as (peers, absent):
        for peer in peers:
            fill(peer, {service: count})
        sides = [
            reading(peer, [peer.words.read(service)], _name(peer.name, count))
            for peer in [mine, *peers]
        ]
        return interleaved(stage, sides, pace(stage)), absent


def judge(turns: Turns) -> list[Figure]:
    """Return the ratios to all sides that are here, and what a read costs."""
    found = [
        rates(turns, WHAT, OURS, other, LIMITS.get(other, NO_LIMITS))
        for other in turns.sides
        if other != OURS
    ]
    found += cpus(turns, WHAT, OURS, RAW, CPU_LIMITS)
    for other in turns.sides:
        if other not in (OURS, RAW):
            limits = PER_CORE_LIMITS.get(other, NO_LIMITS)
            found += per_core(turns, WHAT, OURS, other, limits)
    own_cpu = turns.values(OURS, cpu)
    if own_cpu:
        found.append(figure(f"CPU per {WHAT}", own_cpu, "us", better="lower"))
    if idle := turns.values(OURS, idle_percent):
        name = "CPU of a replica that nobody asks"
        found.append(figure(name, idle, "% of a core", better="lower"))
    found.append(figure(WHAT, turns.values(OURS, rate), "requests/s"))
    return found


def _judge_size(turns: Turns, count: int) -> list[Figure]:
    mine, raw = _name(OURS, count), _name(RAW, count)
    return [rates(turns, WHAT, mine, raw), *cpus(turns, WHAT, mine, raw)]


def _name(name: str, count: int) -> str:
    """Return the name of a side; the usual size is not told."""
    return name if count == INSTANCES else f"{name}, {count} instances"
