"""10,000 services read at random, in turns with one that is read always: `many`."""

import random

import msgspec

from bench.peers.peer import SERVICE
from bench.peers.table import opened_one
from bench.results import Outcome
from bench.scenarios.ratios import cpus, rates
from bench.scenarios.sides import (
    OURS,
    RAW,
    answer,
    fill,
    interleaved,
    pace,
    reading,
    setting,
)
from bench.scenarios.stage import Stage

WORKLOAD = (
    "64 connections read 10,000 services of 5 instances in random order at one replica "
    "of three; servers on one core, load on another"
)
WHAT = "read of many services"
SERVICES = 10_000
INSTANCES = 5
SEED = 6
ONE = f"{OURS}, one service"


def run(stage: Stage) -> Outcome:
    """Compare with reads of one service, and with the raw responder sent the same."""
    names = [f"{SERVICE}-{n}" for n in range(100 if stage.quick else SERVICES)]
    with opened_one(OURS, setting(stage)) as mine:
        stage.tell(f"registering {len(names) * INSTANCES:,} instances")
        fill(mine, dict.fromkeys(names, INSTANCES))
        random.Random(SEED).shuffle(names)
        reads = [mine.words.read(name) for name in names]
        sent = answer(mine.urls[0], reads[0])
        own = msgspec.structs.replace(setting(stage), answer=sent)
        with opened_one(RAW, own) as raw:
            sides = [reading(peer, reads) for peer in (mine, raw)]
            sides.append(reading(mine, reads[:1], ONE))
            turns = interleaved(stage, sides, pace(stage))
    return Outcome(
        scenario="many",
        workload=WORKLOAD,
        samples=tuple(turns.samples),
        figures=tuple(
            figure
            for other in (RAW, ONE)
            for figure in (
                rates(turns, WHAT, OURS, other),
                *cpus(turns, WHAT, OURS, other),
            )
        ),
        absent=(),
    )
