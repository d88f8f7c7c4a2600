"""Heartbeats of 1,000 instances, acknowledged by three replicas: `heartbeats`."""

from bench.peers.peer import SERVICE, Peer
from bench.peers.table import extra, opened
from bench.results import Figure, Outcome, figure
from bench.scenarios.ratios import NO_LIMITS, Limits, rates
from bench.scenarios.sides import (
    ALL_CORES,
    IDLE,
    OURS,
    Side,
    Turns,
    cpu,
    fill,
    interleaved,
    pace,
    rate,
    setting,
    writing,
)
from bench.scenarios.stage import Stage

WORKLOAD = (
    "256 connections send heartbeats of 1,000 instances in turn, spread over three "
    "durable replicas, each as fast as it is answered; all share all cores"
)
WHAT = "heartbeats"
SERVICES, PER_SERVICE = 100, 10
LIMITS: dict[str, Limits] = {IDLE: (2.5, 1.5)}
"""Of our rate over that of each."""
AIM_US, FLOOR_US = 24.0, 35.0
"""CPU of all replicas per heartbeat."""


def run(stage: Stage) -> Outcome:
    """Compare with the aiohttp handler that does nothing, and what else has them."""
    names = [OURS, IDLE, "seed", *extra(stage.peers)]
    with opened(names, setting(stage, ALL_CORES)) as (peers, absent):
        sides = [side for peer in peers if (side := _side(peer, stage)) is not None]
        turns = interleaved(stage, sides, pace(stage, connections=256))
    return Outcome(
        scenario="heartbeats",
        workload=WORKLOAD,
        samples=tuple(turns.samples),
        figures=tuple(judge(turns)),
        absent=tuple(absent),
    )


def _side(peer: Peer, stage: Stage) -> Side | None:
    services = 2 if stage.quick else SERVICES
    wanted = {f"{SERVICE}-{number}": PER_SERVICE for number in range(services)}
    beats = [peer.words.heartbeat(one) for one in fill(peer, wanted)]
    sent = [beat for beat in beats if beat is not None]
    return writing(peer, sent) if sent else None


def judge(turns: Turns) -> list[Figure]:
    """Return the ratios, and what one heartbeat costs the whole cluster."""
    found = [
        rates(turns, WHAT, OURS, other, LIMITS.get(other, NO_LIMITS))
        for other in turns.sides
        if other != OURS
    ]
    used = turns.values(OURS, cpu)
    if used:
        name = "CPU of all replicas per heartbeat"
        found.append(
            figure(name, used, "us", aim=AIM_US, floor=FLOOR_US, better="lower")
        )
    found.append(figure(WHAT, turns.values(OURS, rate), "requests/s"))
    return found
