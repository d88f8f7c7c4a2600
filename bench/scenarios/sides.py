"""Sides of a comparison: they take turns within one run, A B A B.

A shared machine is slow for some seconds and fast for others; then it is so for both.
What a figure tells is the median of the ratios of single turns.
"""

import socket
import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from urllib.parse import urlsplit

import msgspec
import uvloop

from bench import client
from bench.load import cores
from bench.load.answers import finished
from bench.load.run import CpuMeter, as_sample, loads, numbers
from bench.load.spec import Load
from bench.load.stream import Stream
from bench.peers.peer import Peer, Setting
from bench.results import Sample
from bench.scenarios.stage import Stage

OURS, RAW, IDLE = "ours", "raw", "idle"
ONE_CORE, ALL_CORES = frozenset({cores.SERVER}), cores.ALL
FILL_CONNECTIONS = 16
ANSWER_S = 8.0
BUSY = 0.9
"""Of a core: a load that used more, of servers that used less, was the limit."""


class Side(msgspec.Struct, frozen=True):
    """What one side sends, to whom, and whose CPU time counts for it."""

    name: str
    urls: tuple[str, ...]
    pids: tuple[int, ...]
    requests: tuple[bytes, ...]


class Pace(msgspec.Struct, frozen=True):
    """How long and how often."""

    turns: int
    seconds: float
    connections: int
    rate_per_s: float | None = None


def pace(
    stage: Stage, *, connections: int = 64, rate_per_s: float | None = None
) -> Pace:
    """Return the pace of a stage: five turns of 2 s; one of 1 s if it is quick."""
    if stage.quick:
        return Pace(1, 1.0, connections, rate_per_s)
    return Pace(5, 2.0, connections, rate_per_s)


def setting(stage: Stage, wanted: frozenset[int] = ONE_CORE) -> Setting:
    """Return what the peers of this stage are opened with; ours may be a URL."""
    named = dict(stage.peers)
    if stage.url is not None:
        named[OURS] = stage.url
    return Setting(folder=stage.folder, cores=wanted, named=named)


def reading(peer: Peer, requests: Sequence[bytes], name: str = "") -> Side:
    """Return a side that asks the first server of a peer only."""
    first = peer.servers[0]
    return Side(name or peer.name, (first.url,), first.pids, tuple(requests))


def writing(peer: Peer, requests: Sequence[bytes], name: str = "") -> Side:
    """Return a side that asks all servers of a peer, and counts the CPU of all."""
    return Side(name or peer.name, peer.urls, peer.pids, tuple(requests))


class Turns:
    """All turns of all sides, and how busy the load itself was in them."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._load_share: dict[str, list[float]] = {}

    def take(
        self, side: Side, load: Load, turn: int, *, beside: Sequence[Load] = ()
    ) -> Sample:
        """Let one side have its turn, with other loads under way if there are any.

        Raises:
            RuntimeError: All that was asked in one of these was refused.
        """
        with loads(load, *beside) as (running, *others):
            meter = CpuMeter(side.pids)
            result = running.result()
            used_s = meter.used_s()
            also = [one.result() for one in others]
        for one in (result, *result.beside, *also):
            if one.errors and not one.requests:
                raise RuntimeError(f"{side.name}: each of {one.errors} requests failed")
        found = as_sample(side.name, turn, result, used_s)
        self.samples.append(found)
        shares = self._load_share.setdefault(side.name, [])
        shares.append(result.cpu_s / result.seconds)
        return found

    def values(self, side: str, of: Callable[[Sample], float | None]) -> list[float]:
        """Return a value of each turn of one side; empty where it has none."""
        found = [of(one) for one in self.samples if one.side == side]
        return [value for value in found if value is not None]

    def is_limited_by_load(self, side: str) -> bool:
        """Whether the load was at its limit and the server was not."""
        used = self.values(side, busy)
        if not used:
            return False
        share = statistics.median(self._load_share[side])
        return share > BUSY > statistics.median(used)

    @property
    def sides(self) -> list[str]:
        """Return the names of the sides, in the order of their first turns."""
        return list(self._load_share)


def interleaved(stage: Stage, sides: Sequence[Side], wanted: Pace) -> Turns:
    """Let all sides have their turns."""
    turns = Turns()
    for turn in range(wanted.turns):
        for side in sides:
            found = turns.take(side, load_of(side, wanted), turn)
            stage.tell(told(found, of=wanted.turns))
    return turns


def load_of(side: Side, wanted: Pace, *, beside: tuple[Load, ...] = ()) -> Load:
    """Return the load that a side puts on its servers for one turn."""
    return Load(
        urls=side.urls,
        stream=Stream(side.requests, first=numbers()),
        connections=wanted.connections,
        seconds=wanted.seconds,
        rate_per_s=wanted.rate_per_s,
        core=cores.LOAD,
        beside=beside,
    )


def told(one: Sample, *, of: int) -> str:
    """Return a sample in one line."""
    words = [
        f"{one.side}, turn {one.turn + 1} of {of}: {one.rate_per_s:,.0f} requests/s"
    ]
    if one.cpu_us_per_request is not None:
        words.append(f"{one.cpu_us_per_request:.1f} us of CPU each")
    if "p99" in one.latency_us:
        words.append(f"p99 {one.latency_us['p99'] / 1000:.2f} ms")
    if one.errors:
        words.append(f"{one.errors} ERRORS")
    return ", ".join(words)


# -- what the figures are made of


def rate(one: Sample) -> float:
    """Return the requests per second."""
    return one.rate_per_s


def cpu(one: Sample) -> float | None:
    """Return the CPU time per request, in microseconds."""
    return one.cpu_us_per_request


def busy(one: Sample) -> float | None:
    """Return the share of a core that the servers used."""
    if one.cpu_us_per_request is None:
        return None
    asked = one.requests + one.errors
    return one.cpu_us_per_request * asked / 1e6 / one.seconds


def p99_us(one: Sample) -> float | None:
    """Return the latency that 99 of 100 did not exceed."""
    return one.latency_us.get("p99")


# -- filling


def fill(peer: Peer, services: Mapping[str, int]) -> list[bytes]:
    """Register so many instances of each service; return the answers, in any order.

    At the server that reads are sent to: it has them when it has answered.
    """
    made = [
        peer.words.register(name, f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")
        for name, count in services.items()
        for n in range(count)
    ]
    wanted = [one for one in made if one is not None]
    answers: list[bytes] = []
    for start in range(0, len(wanted), 1000):
        part = islice(wanted, start, start + 1000)
        run = client.run(
            [peer.urls[0]], part, connections=FILL_CONNECTIONS, answers=answers
        )
        uvloop.run(run)
    return answers


def answer(url: str, request: bytes) -> bytes:
    """Return a whole answer as it comes: head and body."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as sock:
        sock.settimeout(ANSWER_S)
        sock.sendall(request)
        data = b""
        while finished(data) is None:
            more = sock.recv(65536)
            if not more:
                raise ConnectionError(f"{url} closed the connection: {data[:200]!r}")
            data += more
    return data
