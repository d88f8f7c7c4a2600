"""Readers flood every replica for a minute: nobody is elected, and writes go on."""

import time
from collections.abc import Sequence

from bench.load.meter import CpuMeter
from bench.load.run import as_sample, loads, numbers
from bench.load.spec import Load
from bench.load.stream import NUMBER, Stream
from bench.peers.peer import SERVICE, Peer
from bench.peers.table import opened_one
from bench.results import Figure, Outcome, figure
from bench.scenarios.sides import ALL_CORES, OURS, fill, setting
from bench.scenarios.stage import Stage
from tests.support.process_http import try_ask

NAME = "flood"
WORKLOAD = (
    "One service of five instances is read from each of three replicas as fast as 64 "
    "connections to each can for a minute, while 20 registrations a second are sent "
    "at a fixed rate; all share all cores. A new term means an election."
)
SECONDS = 60.0
QUICK_SECONDS = 2.0
CONNECTIONS = 64
WRITES_PER_S = 20.0
INSTANCES = 5
HOST = f"h-{NUMBER.decode()}"
WRITING = 8
"""Connections of the writer."""
MARGIN_S = 1.0
"""The readers begin before the writer counts, and end after it."""
ASKED_S = 5.0


def run(stage: Stage) -> Outcome:
    """Flood the cluster that is given, or one of ours."""
    seconds = QUICK_SECONDS if stage.quick else SECONDS
    with opened_one(OURS, setting(stage, ALL_CORES)) as mine:
        return _flood(stage, mine, seconds)


def _flood(stage: Stage, mine: Peer, seconds: float) -> Outcome:
    urls = mine.urls
    fill(mine, {SERVICE: INSTANCES})
    stage.tell(f"reads at full rate for {seconds:g} s")
    before = _term(urls)
    meter, began_s = CpuMeter(mine.pids), time.monotonic()
    with (
        loads(*_readers(mine, seconds + MARGIN_S)) as readers,
        loads(_writer(mine, seconds)) as (writer,),
    ):
        wrote = writer.result()
        found = [reader.result() for reader in readers]
    used_s, took_s = meter.used_s(), time.monotonic() - began_s
    elections = _term(urls) - before
    writes = as_sample("writes", 0, wrote, None)
    samples = [
        as_sample(f"reads of replica {number + 1}", 0, result, None)
        for number, result in enumerate(found)
    ]
    figures = (
        figure(
            f"elections in {seconds:g} s of reads at 100 %",
            [float(elections)],
            "",
            floor=0.0,
            better="lower",
        ),
        figure(
            "p99 of writes meanwhile",
            [writes.latency_us.get("p99", 0.0) / 1e3],
            "ms",
            floor=50.0,
            better="lower",
        ),
        figure(
            "writes that failed", [float(writes.errors)], "", floor=0.0, better="lower"
        ),
        figure("reads of all replicas", [sum(s.rate_per_s for s in samples)], "/s"),
        *_busy(used_s, took_s),
    )
    return Outcome(NAME, WORKLOAD, (*samples, writes), figures, absent=())


def _readers(mine: Peer, seconds: float) -> list[Load]:
    return [
        Load(
            urls=(url,),
            stream=Stream((mine.words.read(SERVICE),)),
            connections=CONNECTIONS,
            seconds=seconds,
        )
        for url in mine.urls
    ]


def _writer(mine: Peer, seconds: float) -> Load:
    write = mine.words.register("written", HOST)
    assert write is not None
    return Load(
        urls=mine.urls,
        stream=Stream((write,), first=numbers()),
        connections=WRITING,
        seconds=seconds,
        rate_per_s=WRITES_PER_S,
        is_patient=True,  # the replicas need every core
    )


def _term(urls: Sequence[str]) -> int:
    """Return the newest term that any replica knows."""
    replies = [try_ask(url, "/cluster", timeout_s=ASKED_S) for url in urls]
    terms = [int(str(r["term"])) for r in replies if r is not None and r.status == 200]
    if not terms:
        raise RuntimeError("no replica tells its term")
    return max(terms)


def _busy(used_s: float | None, took_s: float) -> list[Figure]:
    if used_s is None:
        return []
    share = 100.0 * used_s / took_s
    return [figure("CPU of all replicas", [share], "% of a core", better="lower")]
