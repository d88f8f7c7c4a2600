"""The discovery read with a ``traceparent`` that is new each time: `traceparent`.

What remembers header blocks reads well until its clients are traced.
"""

import msgspec

from bench.load.stream import TRACEPARENT
from bench.peers.peer import SERVICE
from bench.peers.table import opened_one
from bench.results import Outcome
from bench.scenarios.ratios import Limits, cpus, rates
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
    "64 connections read one service of 5 instances at one replica of three, with a "
    "traceparent that is new with each request; servers on one core, load on another"
)
WHAT = "read with a new traceparent"
INSTANCES = 5
LIMITS: Limits = (0.88, 0.75)


def run(stage: Stage) -> Outcome:
    """Compare with the raw responder, which is sent the same."""
    with opened_one(OURS, setting(stage)) as mine:
        fill(mine, {SERVICE: INSTANCES})
        read = mine.words.read(SERVICE)
        own = msgspec.structs.replace(setting(stage), answer=answer(mine.urls[0], read))
        traced = read.removesuffix(b"\r\n") + TRACEPARENT + b"\r\n"
        with opened_one(RAW, own) as raw:
            sides = [reading(peer, [traced]) for peer in (mine, raw)]
            turns = interleaved(stage, sides, pace(stage))
    return Outcome(
        scenario="traceparent",
        workload=WORKLOAD,
        samples=tuple(turns.samples),
        figures=(
            rates(turns, WHAT, OURS, RAW, LIMITS),
            *cpus(turns, WHAT, OURS, RAW),
        ),
        absent=(),
    )
