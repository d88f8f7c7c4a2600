"""Reads of a service of which an instance changes 100 times a second: `changing`."""

import orjson

from bench.load import cores
from bench.load.run import numbers
from bench.load.spec import Load
from bench.load.stream import NUMBER, Stream
from bench.peers.peer import SERVICE, Peer
from bench.peers.table import opened_one
from bench.results import Outcome
from bench.scenarios.filling import registered_as
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
NEW = {"build": NUMBER.decode()}
"""Metadata that no request has in common with another."""
CALM, CHANGING = f"{OURS}, nothing changes", f"{OURS}, 100 changes/s"


def run(stage: Stage) -> Outcome:
    """Compare the same reads with changes and without."""
    wanted, turns = pace(stage), Turns()
    with opened_one(OURS, setting(stage)) as mine:
        fill(mine, {SERVICE: INSTANCES - 1})
        read = [mine.words.read(SERVICE)]
        again = changing(mine)
        calm, changed = reading(mine, read, CALM), reading(mine, read, CHANGING)
        for turn in range(wanted.turns):
            one = turns.take(calm, load_of(calm, wanted), turn)
            stage.tell(told(one, of=wanted.turns))
            beside = [changes(mine.urls, again, wanted)]
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


def changing(peer: Peer) -> bytes:
    """Return what registers one instance, each time with other metadata."""
    instance = peer.words.register(SERVICE, "10.9.9.9")
    assert instance is not None
    own_id = f"{SERVICE}-changing-{numbers():x}"
    peer.answers.append(orjson.dumps({"service_id": own_id}))  # as it will be answered
    return registered_as(instance, service_id=own_id, metadata=NEW)


def changes(urls: tuple[str, ...], again: bytes, wanted: Pace) -> Load:
    """Return the load that registers an instance again and again."""
    return Load(
        urls=urls,
        stream=Stream((again,), first=numbers()),
        connections=len(urls),
        seconds=wanted.seconds,
        rate_per_s=CHANGES_PER_S,
        core=cores.LOAD,
        is_patient=True,
    )
