"""Registrations of ever new instances, by 64 and by 256 clients: `registrations`."""

from collections.abc import Iterable

from bench.load.stream import NUMBER
from bench.peers.peer import SERVICE, Peer
from bench.peers.table import extra, opened
from bench.results import Figure, Outcome, Sample, figure
from bench.scenarios.ratios import NO_LIMITS, Limits, rates
from bench.scenarios.sides import (
    ALL_CORES,
    IDLE,
    OURS,
    Side,
    Turns,
    cpu,
    interleaved,
    pace,
    rate,
    setting,
    writing,
)
from bench.scenarios.stage import Stage

WORKLOAD = (
    "64, then 256 connections register instances that are new, of 1,000 services, "
    "spread over three durable servers; acknowledged when a majority has synced it"
)
SERVICES = 1_000
HOST = f"node-{NUMBER.decode()}"
CONNECTIONS = (64, 256)
LIMITS: dict[str, Limits] = {"etcd": (4.0, 2.5)}
"""Of our rate over that of each: etcd's is of JSON puts, with its defaults."""
AIM_US, FLOOR_US = 45.0, 70.0
"""CPU of all replicas per registration, at 256 connections."""


def run(stage: Stage) -> Outcome:
    """Compare with all that keep registrations, and with a handler that does not."""
    samples: list[Sample] = []
    figures: list[Figure] = []
    names = [OURS, IDLE, "etcd", "etcd fast", "consul", "seed", *extra(stage.peers)]
    with opened(names, setting(stage, ALL_CORES)) as (peers, absent):
        for count in CONNECTIONS[-1:] if stage.quick else CONNECTIONS:
            sides = list(_sides(peers, count))
            turns = interleaved(stage, sides, pace(stage, connections=count))
            samples += turns.samples
            figures += judge(turns, count)
    return Outcome(
        scenario="registrations",
        workload=WORKLOAD,
        samples=tuple(samples),
        figures=tuple(figures),
        absent=tuple(absent),
    )


def _sides(peers: Iterable[Peer], connections: int) -> Iterable[Side]:
    for peer in peers:
        made = [
            peer.words.register(f"{SERVICE}-{number}", HOST)
            for number in range(SERVICES)
        ]
        requests = [one for one in made if one is not None]
        if requests:
            yield writing(peer, requests, _name(peer.name, connections))


def judge(turns: Turns, connections: int) -> list[Figure]:
    """Return the ratios, and what one registration costs the whole cluster."""
    mine = _name(OURS, connections)
    found = []
    for other in turns.sides:
        if other != mine:
            limits = LIMITS.get(other.partition(",")[0], NO_LIMITS)
            found.append(rates(turns, "registrations", mine, other, limits))
    used = turns.values(mine, cpu)
    if used:
        is_judged = connections == CONNECTIONS[-1]
        found.append(
            figure(
                _name("CPU of all replicas per registration", connections),
                used,
                "us",
                aim=AIM_US if is_judged else None,
                floor=FLOOR_US if is_judged else None,
                better="lower",
            )
        )
    name = _name("registrations", connections)
    found.append(figure(name, turns.values(mine, rate), "requests/s"))
    return found


def _name(name: str, connections: int) -> str:
    return f"{name}, {connections} connections"
