"""A day of a platform: many instances that live by heartbeats, and far more reads."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import orjson

from bench.load.cores import ALL, LOAD
from bench.load.meter import CpuMeter
from bench.load.run import as_sample, loads
from bench.load.spec import Load
from bench.load.stream import Stream
from bench.peers.peer import Peer
from bench.peers.table import opened_one
from bench.results import Figure, Outcome, Sample, figure
from bench.scenarios.filling import PER_SERVICE, host, register, registered_as, service
from bench.scenarios.sides import OURS, listed, setting
from bench.scenarios.stage import Stage

NAME = "platform"
WORKLOAD = (
    "10,000 instances of 2,000 services with a lease of 90 s each send a heartbeat "
    "every 30 s to any of three replicas; 19 discovery reads of any service come to "
    "each heartbeat: 333 and 6,333 requests a second, each at a fixed rate; all "
    "replicas on one core, the load on another"
)
READS, BEATS = "reads", "heartbeats"
INSTANCES = 10_000
QUICK_INSTANCES = 50
HEARTBEAT_S = 30.0
QUICK_HEARTBEAT_S = 2.0
TTL_S = 90
READS_PER_BEAT = 19
"""95 % of all requests."""
TURNS = 3
STEP = 769
CONNECTIONS = 64
"""For reads, and as many for heartbeats."""


def run(stage: Stage) -> Outcome:
    """Run as many turns as there are, each as long as all heartbeats take."""
    with opened_one(OURS, setting(stage, ALL - {LOAD} or ALL)) as mine:
        return _day(stage, mine)


def _day(stage: Stage, mine: Peer) -> Outcome:
    count = QUICK_INSTANCES if stage.quick else INSTANCES
    period_s = QUICK_HEARTBEAT_S if stage.quick else HEARTBEAT_S
    stage.tell(f"filling to {count:,} instances")
    mine.answers.extend(register(mine.urls, _registrations(mine, count)))
    beats_per_s = count / period_s
    made = [mine.words.heartbeat(answer) for answer in mine.answers]
    beats = [one for one in made if one is not None]
    beating = _load(mine.urls, beats, beats_per_s, period_s)
    reads = _reads(mine, count)
    reading = _load(mine.urls, reads, beats_per_s * READS_PER_BEAT, period_s)
    load = msgspec.structs.replace(reading, beside=(beating,))
    samples: list[Sample] = []
    shares: list[float] = []
    for turn in range(1 if stage.quick else TURNS):
        stage.tell(f"turn {turn + 1}")
        with loads(load) as (running,):
            meter = CpuMeter(mine.pids)
            result = running.result()
        used_s = meter.used_s()
        samples.append(as_sample(READS, turn, result, None))
        samples.append(as_sample(BEATS, turn, result.beside[0], None))
        if used_s is not None:
            shares.append(100.0 * used_s / result.seconds)
    found = tuple(_figures(samples, shares, mine))
    return Outcome(NAME, WORKLOAD, tuple(samples), found, absent=())


def _load(
    urls: Sequence[str], requests: Iterable[bytes], rate_per_s: float, seconds: float
) -> Load:
    return Load(
        urls=tuple(urls),
        stream=Stream(tuple(requests)),
        connections=CONNECTIONS,
        seconds=seconds,
        rate_per_s=rate_per_s,
        core=LOAD,
    )


def _registrations(mine: Peer, count: int) -> Iterator[bytes]:
    for number in range(count):
        made = mine.words.register(service(number // PER_SERVICE), host(number))
        assert made is not None
        yield registered_as(made, ttl_seconds=TTL_S)


def _reads(mine: Peer, instances: int) -> Iterator[bytes]:
    """Return a read of each service, in an order in which no neighbours follow."""
    services = instances // PER_SERVICE
    # A step without a divisor in common with the number of services meets them all.
    for number in range(services):
        yield mine.words.read(service(number * STEP % services))


def _figures(
    samples: Sequence[Sample], shares: Sequence[float], mine: Peer
) -> Iterator[Figure]:
    for side in (READS, BEATS):
        turns = [sample.latency_us for sample in samples if sample.side == side]
        for name in ("p50", "p99", "p99.9"):
            values_ms = [latency_us[name] / 1e3 for latency_us in turns]
            yield figure(f"{side}, {name}", values_ms, "ms", better="lower")
    errors = [float(sample.errors) for sample in samples]
    yield figure("requests that failed", errors, "", floor=0.0, better="lower")
    gone = float(_listed_short(mine))
    yield figure("instances that ended", [gone], "", floor=0.0, better="lower")
    if shares:
        yield figure("CPU of all replicas", shares, "% of a core", better="lower")


def _listed_short(mine: Peer) -> int:
    """Return how many of our instances are no longer listed as healthy."""
    wanted = {str(orjson.loads(answer)["service_id"]) for answer in mine.answers}
    for number in range(len(wanted) // PER_SERVICE):
        url = mine.urls[number % len(mine.urls)]
        found = listed(url, mine.words.read(service(number)))
        wanted.difference_update(str(one["service_id"]) for one in found)
    return len(wanted)
