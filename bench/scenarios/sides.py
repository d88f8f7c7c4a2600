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
import orjson
import uvloop

from bench import client
from bench.load import cores
from bench.load.answers import finished
from bench.load.meter import CpuMeter, idle_share
from bench.load.run import as_sample, loads, numbers
from bench.load.spec import Load
from bench.load.stream import Stream
from bench.peers.peer import Peer, Setting
from bench.results import Sample
from bench.scenarios.filling import host
from bench.scenarios.stage import Stage

OURS, RAW, IDLE = "ours", "raw", "idle"
ONE_CORE, ALL_CORES = frozenset({cores.SERVER}), cores.ALL
FILL_CONNECTIONS = 16
ANSWER_S = 8.0
BUSY = 0.9
"""Of the time of a turn. A load that ran, or waited for its core, for longer was the
limit of servers that did so for less."""


class Side(msgspec.Struct, frozen=True):
    """What one side sends, to whom, and whose CPU time counts for it."""

    name: str
    urls: tuple[str, ...]
    pids: tuple[int, ...]
    requests: tuple[bytes, ...]
    is_idle_taken_off: bool = False
    """Whether its CPU time counts without what it uses while nobody asks."""


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
    """Return a side that asks the first server of a peer only.

    A read is that server's alone, so what it does for the cluster is no part of it.
    """
    first = peer.servers[0]
    return Side(
        name or peer.name,
        (first.url,),
        first.pids,
        tuple(requests),
        is_idle_taken_off=True,
    )


def writing(peer: Peer, requests: Sequence[bytes], name: str = "") -> Side:
    """Return a side that asks all servers of a peer, and counts the CPU of all."""
    return Side(name or peer.name, peer.urls, peer.pids, tuple(requests))


class Turns:
    """All turns of all sides, and who had work to do all the time in them."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._load_shares: dict[str, list[float]] = {}
        self._server_shares: dict[str, list[float]] = {}

    def take(
        self, side: Side, load: Load, turn: int, *, beside: Sequence[Load] = ()
    ) -> Sample:
        """Let one side have its turn, with other loads under way if there are any.

        Raises:
            RuntimeError: All that was asked in one of these was refused.
        """
        share = idle_share(side.pids) if side.is_idle_taken_off else None
        with loads(load, *beside) as (running, *others):
            meter = CpuMeter(side.pids, idle_share=share or 0.0)
            result = running.result()
            used_s, wanted_s = meter.used_s(), meter.wanted_s()
            also = [one.result() for one in others]
        for one in (result, *result.beside, *also):
            if one.errors and not one.requests:
                raise RuntimeError(f"{side.name}: each of {one.errors} requests failed")
        found = as_sample(side.name, turn, result, used_s, idle_share=share)
        seconds = result.seconds
        self.add(
            found,
            load_share=result.wanted_s / seconds,
            server_share=None if wanted_s is None else wanted_s / seconds,
        )
        return found

    def add(
        self, one: Sample, *, load_share: float, server_share: float | None
    ) -> None:
        """Take a turn that was had, and for which share of it who had work to do."""
        self.samples.append(one)
        self._load_shares.setdefault(one.side, []).append(load_share)
        if server_share is not None:
            self._server_shares.setdefault(one.side, []).append(server_share)

    def values(self, side: str, of: Callable[[Sample], float | None]) -> list[float]:
        """Return a value of each turn of one side; empty where it has none."""
        found = [of(one) for one in self.samples if one.side == side]
        return [value for value in found if value is not None]

    def is_limited_by_load(self, side: str) -> bool:
        """Whether the load always had work to do and the servers had not.

        False where the servers run elsewhere: nobody can tell.
        """
        server_shares = self._server_shares.get(side)
        if not server_shares:
            return False
        load_share = statistics.median(self._load_shares[side])
        return load_share > BUSY > statistics.median(server_shares)

    @property
    def sides(self) -> list[str]:
        """Return the names of the sides, in the order of their first turns."""
        return list(self._load_shares)


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


def idle_percent(one: Sample) -> float | None:
    """Return what the servers use while nobody asks, in per cent of a core."""
    return None if one.idle_share is None else 100.0 * one.idle_share


def p99_us(one: Sample) -> float | None:
    """Return the latency that 99 of 100 did not exceed."""
    return one.latency_us.get("p99")


# -- filling


def fill(peer: Peer, services: Mapping[str, int]) -> list[bytes]:
    """Register so many instances of each service; return the answers, in any order.

    At the server that reads are sent to: it has them when it has answered.
    """
    made = [
        peer.words.register(name, host(n))
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
    peer.answers.extend(answers)
    return answers


def listed(url: str, read: bytes) -> list[dict[str, object]]:
    """Return the instances that a server of ours lists."""
    body = answer(url, read).partition(b"\r\n\r\n")[2]
    found: list[dict[str, object]] = orjson.loads(body)["instances"]
    return found


def answer(url: str, request: bytes) -> bytes:
    """Return a whole answer as it comes: head and body."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    with socket.create_connection(address, timeout=ANSWER_S) as sock:
        sock.sendall(request)
        data = b""
        while finished(data) is None:
            more = sock.recv(65536)
            if not more:
                raise ConnectionError(f"{url} closed the connection: {data[:200]!r}")
            data += more
    return data
