"""What a read costs a real replica in CPU time, beside the raw responder's, in slices.

Both are asked in turns of some milliseconds over connections that are kept: so what
neighbours do to the machine they do to both. They can only add to what a read needs, so
of the slices of each turn the least counts, not the middle. What the replica uses while
nobody asks is watched between the slices, and taken off.
"""

import time
from pathlib import Path

import msgspec

from bench.load.closed import ClosedLoop
from bench.load.cores import on_one_core
from bench.load.meter import CpuMeter
from bench.load.spec import Load
from bench.load.stream import Stream
from bench.peers.peer import SERVICE, Peer, Setting
from bench.peers.table import opened_one
from bench.results import Figure, figure, ratio
from bench.scenarios.sides import ONE_CORE, OURS, RAW, answer, fill

INSTANCES = 5
CONNECTIONS = 64
TURNS = 7
ROUNDS = 32
"""Of each turn: one in which nobody asks, and a slice of both sides."""
SLICE_S = 0.025
REST_S = 0.012
AIM, FLOOR = 1.10, 1.25


def measure(folder: Path) -> list[Figure]:
    """Return the CPU per read over the raw responder's; nothing where nobody tells it.

    Raises:
        RuntimeError: A read failed.
    """
    alone = Setting(folder=folder, cores=ONE_CORE, named={})
    with opened_one(OURS, alone) as mine:
        if CpuMeter(mine.pids).used_s() is None:
            return []
        fill(mine, {SERVICE: INSTANCES})
        read = mine.words.read(SERVICE)
        beside = msgspec.structs.replace(alone, answer=answer(mine.urls[0], read))
        with opened_one(RAW, beside) as raw, on_one_core():
            ours, other = Server(mine, read), Server(raw, read)
            turns = [_turn(ours, other) for _ in range(TURNS)]
    ours_us = [turn.ours_us for turn in turns]
    raw_us = [turn.raw_us for turn in turns]
    name = "CPU per read: a replica / raw uvloop responder"
    idle_percent = [turn.idle_percent for turn in turns]
    return [
        ratio(name, ours_us, raw_us, aim=AIM, floor=FLOOR, better="lower"),
        figure("CPU per read of a replica", ours_us, "us", better="lower"),
        figure(
            "CPU of a replica that nobody asks",
            idle_percent,
            "% of a core",
            better="lower",
        ),
    ]


class Slice(msgspec.Struct, frozen=True):
    """What one server used for so many reads."""

    reads: int
    seconds: float
    used_s: float

    def cpu_us(self, idle_share: float = 0.0) -> float:
        """Return the CPU time of each read, without what an idle server uses."""
        return (self.used_s - idle_share * self.seconds) / self.reads * 1e6


class Server:
    """The server that is asked, and the connections to it."""

    def __init__(self, peer: Peer, read: bytes) -> None:
        first = peer.servers[0]
        self._pids = first.pids
        self._loop = ClosedLoop(
            Load(
                urls=(first.url,),
                stream=Stream((read,)),
                connections=CONNECTIONS,
                seconds=SLICE_S,
            )
        )

    def asked(self) -> Slice:
        """Ask for the time of a slice. Raises RuntimeError if a read failed."""
        meter, began_s = CpuMeter(self._pids), time.perf_counter()
        result = self._loop.run(SLICE_S)
        used_s, took_s = meter.used_s(), time.perf_counter() - began_s
        if result.errors or not result.requests:
            raise RuntimeError(f"{result.errors} reads failed")
        return Slice(result.requests, took_s, used_s or 0.0)

    def idle(self) -> Slice:
        """Ask nothing for a moment."""
        meter, began_s = CpuMeter(self._pids), time.perf_counter()
        time.sleep(REST_S)
        used_s, took_s = meter.used_s(), time.perf_counter() - began_s
        return Slice(0, took_s, used_s or 0.0)


class _Turn(msgspec.Struct, frozen=True):
    ours_us: float
    raw_us: float
    idle_percent: float


def _turn(ours: Server, raw: Server) -> _Turn:
    idle: list[Slice] = []
    mine: list[Slice] = []
    other: list[Slice] = []
    for _ in range(ROUNDS):
        idle.append(ours.idle())
        mine.append(ours.asked())
        other.append(raw.asked())
    idle_share = sum(s.used_s for s in idle) / sum(s.seconds for s in idle)
    return _Turn(
        ours_us=min(one.cpu_us(idle_share) for one in mine),
        raw_us=min(one.cpu_us() for one in other),
        idle_percent=100.0 * idle_share,
    )
