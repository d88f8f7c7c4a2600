"""Reads of a service of which an instance changes 100 times a second: `changing`."""

import orjson

from bench.load import cores
from bench.load.run import numbers
from bench.load.spec import Load
from bench.load.stream import NUMBER, Stream, request
from bench.peers.peer import BODY, SERVICE
from bench.peers.table import opened_one
from bench.results import Outcome
from bench.scenarios.ratios import cpus, rates
from bench.scenarios.sides import (
    OURS,
    Pace,
    Turns,
    fill,
    load_of,
    pace,
    reading,
    setting,
    told,
)
from bench.scenarios.stage import Stage

WORKLOAD = (
    "64 connections read one service of 5 instances at one replica of three while one "
    "of these is registered again with other metadata, 100 times a second"
)
WHAT = "read under changes"
INSTANCES = 5
CHANGES_PER_S = 100.0
CALM, CHANGING = f"{OURS}, nothing changes", f"{OURS}, 100 changes/s"


def run(stage: Stage) -> Outcome:
    """Compare the same reads with changes and without."""
    wanted, turns = pace(stage), Turns()
    with opened_one(OURS, setting(stage)) as mine:
        fill(mine, {SERVICE: INSTANCES - 1})
        read = [mine.words.read(SERVICE)]
        calm, changed = reading(mine, read, CALM), reading(mine, read, CHANGING)
        for turn in range(wanted.turns):
            one = turns.take(calm, load_of(calm, wanted), turn)
            stage.tell(told(one, of=wanted.turns))
            beside = [changes(mine.urls, wanted)]
            one = turns.take(changed, load_of(changed, wanted), turn, beside=beside)
            stage.tell(told(one, of=wanted.turns))
    return Outcome(
        scenario="changing",
        workload=WORKLOAD,
        samples=tuple(turns.samples),
        figures=(
            rates(turns, WHAT, CHANGING, CALM),
            *cpus(turns, WHAT, CHANGING, CALM),
        ),
        absent=(),
    )


def changes(urls: tuple[str, ...], wanted: Pace) -> Load:
    """Return the load that registers an instance again and again, each time new."""
    body = BODY | {
        "name": SERVICE,
        "host": "10.9.9.9",
        "service_id": f"{SERVICE}-changing",
        "metadata": {"build": NUMBER.decode()},
    }
    return Load(
        urls=urls,
        stream=Stream(
            (request("POST", "/register", orjson.dumps(body)),), first=numbers()
        ),
        connections=len(urls),
        seconds=wanted.seconds,
        rate_per_s=CHANGES_PER_S,
        core=cores.LOAD,
        is_patient=True,
    )
