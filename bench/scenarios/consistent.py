"""Reads that know of every acknowledged write: `consistent`."""

from bench.peers.peer import SERVICE, Peer
from bench.peers.table import extra, opened
from bench.results import Figure, Outcome, figure
from bench.scenarios.ratios import rates
from bench.scenarios.sides import (
    ALL_CORES,
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
    "64 connections read one service of 5 instances with consistent=true, spread over "
    "three durable replicas: each waits until its replica has all that was committed"
)
WHAT = "consistent read"
INSTANCES = 5


def run(stage: Stage) -> Outcome:
    """Compare with the linearizable reads of others."""
    names = [OURS, "etcd", "etcd fast", "consul", *extra(stage.peers)]
    with opened(names, setting(stage, ALL_CORES)) as (peers, absent):
        sides = [side for peer in peers if (side := _side(peer)) is not None]
        turns = interleaved(stage, sides, pace(stage))
    return Outcome(
        scenario="consistent",
        workload=WORKLOAD,
        samples=tuple(turns.samples),
        figures=tuple(judge(turns)),
        absent=tuple(absent),
    )


def _side(peer: Peer) -> Side | None:
    read = peer.words.consistent_read(SERVICE)
    if read is None:
        return None
    fill(peer, {SERVICE: INSTANCES})
    return writing(peer, [read])


def judge(turns: Turns) -> list[Figure]:
    """Return the ratios, and what one read costs the whole cluster."""
    found = [rates(turns, WHAT, OURS, other) for other in turns.sides if other != OURS]
    used = turns.values(OURS, cpu)
    if used:
        name = f"CPU of all replicas per {WHAT}"
        found.append(figure(name, used, "us", better="lower"))
    found.append(figure(WHAT, turns.values(OURS, rate), "requests/s"))
    return found
