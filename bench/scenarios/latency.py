"""What 2,000 heartbeats a second do to the latency of reads: `latency`.

An open loop: the figure is what clients see that do not wait for each other. Both loads
are of one process on one core, because two would disturb each other there.
"""

from bench.load import cores
from bench.load.run import numbers
from bench.load.spec import Load
from bench.load.stream import Stream
from bench.peers.peer import SERVICE, Peer
from bench.peers.table import opened_one
from bench.results import Outcome, figure, ratio
from bench.scenarios.sides import (
    OURS,
    Pace,
    Turns,
    fill,
    load_of,
    p99_us,
    reading,
    setting,
    told,
)
from bench.scenarios.stage import Stage

WORKLOAD = (
    "2,000 reads/s of one service of 5 instances at one replica of three, over 16 "
    "connections, with and without 2,000 heartbeats/s spread over all three; all "
    "replicas on one core, the load on another"
)
READS_PER_S = BEATS_PER_S = 2_000.0
CONNECTIONS = 16
INSTANCES = 5
BEATING = 1_000
WITHOUT, WITH = f"{OURS}, reads only", f"{OURS}, 2,000 heartbeats/s"
AIM, FLOOR = 1.3, 2.0


def run(stage: Stage) -> Outcome:
    """Compare the p99 of the same reads with heartbeats and without."""
    wanted = Pace(
        turns=1 if stage.quick else 5,
        seconds=1.0 if stage.quick else 4.0,
        connections=CONNECTIONS,
        rate_per_s=READS_PER_S,
    )
    turns = Turns()
    with opened_one(OURS, setting(stage)) as mine:
        fill(mine, {SERVICE: INSTANCES})
        beats = _beats(mine, 20 if stage.quick else BEATING)
        read = [mine.words.read(SERVICE)]
        sides = (
            (reading(mine, read, WITHOUT), ()),
            (reading(mine, read, WITH), (_heartbeats(mine, beats, wanted),)),
        )
        for turn in range(wanted.turns):
            for side, beside in sides:
                load = load_of(side, wanted, beside=beside)
                stage.tell(told(turns.take(side, load, turn), of=wanted.turns))
    over, under = turns.values(WITH, p99_us), turns.values(WITHOUT, p99_us)
    name = "p99 of reads with 2,000 heartbeats/s / without"
    return Outcome(
        scenario="latency",
        workload=WORKLOAD,
        samples=tuple(turns.samples),
        figures=(
            ratio(name, over, under, aim=AIM, floor=FLOOR, better="lower"),
            figure("p99 of reads with 2,000 heartbeats/s", over, "us", better="lower"),
        ),
        absent=(),
    )


def _beats(peer: Peer, count: int) -> tuple[bytes, ...]:
    registered = fill(peer, {f"{SERVICE}-beating-{n // 10}": 10 for n in range(count)})
    beats = [peer.words.heartbeat(one) for one in registered]
    return tuple(beat for beat in beats if beat is not None)


def _heartbeats(peer: Peer, beats: tuple[bytes, ...], wanted: Pace) -> Load:
    return Load(
        urls=peer.urls,
        stream=Stream(beats, first=numbers()),
        connections=CONNECTIONS,
        seconds=wanted.seconds,
        rate_per_s=BEATS_PER_S,
        core=cores.LOAD,
    )
