"""What requests cost from the bytes received to the bytes sent, without a socket.

The fast path in turns with the same application left to aiohttp, and with a bare
handler that lists, counts and knows nothing; all in this process, over transports that
only count. By the CPU time of this thread, so that neighbours on the machine hardly
show: what is left is steady enough to be judged anywhere.

Reads are those that are asked again byte for byte, those whose ``traceparent`` is new
each time, and sixteen in one chunk. Heartbeats come over many connections at once, as
they are gathered in the product; a consensus that applies at once stands in for Raft.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

import orjson
import uvloop
from aiohttp import web
from structlog.testing import capture_logs

from bench.load.stream import TRACEPARENT, Stream, request
from bench.peers.idle import Handler
from bench.results import Figure, figure, ratio
from registry.api.app import create_surface
from registry.api.connection import ApiProtocol, ConnectionSettings
from registry.api.fastpath import FastProtocol
from tests.support.fake_clock import LoopClock
from tests.support.surface import dependencies
from tests.support.use_cases import UseCases

INSTANCES = 5
TURNS = 7
FAST_READS = 4_000
ORDINARY_READS = 400
BEATING = 64
FAST_ROUNDS, ORDINARY_ROUNDS = 20, 4
"""Of a heartbeat of each."""
PIPELINED = 16
DEADLINE_S = 10.0
READ = b"GET /services/web HTTP/1.1\r\nHost: 127.0.0.1:8500\r\n\r\n"
"""As load generators send it; the figures that led to the floor were taken so."""
TRACED = request("GET", "/services/web", headers=TRACEPARENT)
AIM, FLOOR = 35.0, 20.0
TRACED_FLOOR = 4.5
"""Measured: 3.1, as the second of two reads that are the same is not parsed again."""
PIPELINED_FLOOR = 1.0
"""Measured: 0.72."""
BEAT_FLOOR = 3.5
"""Measured: 5.0 to 6.5."""


def measure() -> list[Figure]:
    """Return how much dearer aiohttp alone is, and what a read costs."""
    with capture_logs():  # a line for each registration
        return uvloop.run(_measure())


class CountingTransport(asyncio.Transport):
    """Takes all that is sent, and counts how often something was."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.last: bytes | bytearray | memoryview = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Count."""
        self.writes += 1
        self.last = data

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Stay as it is."""

    def abort(self) -> None:
        """Stay as it is."""

    def pause_reading(self) -> None:
        """Nothing is read anyway."""

    def resume_reading(self) -> None:
        """Nothing is read anyway."""

    def get_write_buffer_size(self) -> int:
        """Nothing waits here."""
        return 0


class _Connection:
    """One protocol on such a transport."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self.protocol = protocol
        self.transport = CountingTransport()
        protocol.connection_made(self.transport)

    async def ask(self) -> None:
        """Have it answer a read, so that what a read asks for is known."""
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.sleep(0)
            await _answered([self], [READ])


async def _answered(connections: Sequence[_Connection], sent: Sequence[bytes]) -> None:
    """Send one request on each connection, and wait for all answers."""
    before = [one.transport.writes for one in connections]
    for one, data in zip(connections, sent, strict=True):
        one.protocol.data_received(data)
    while any(
        one.transport.writes == count
        for one, count in zip(connections, before, strict=True)
    ):
        await asyncio.sleep(0)
    # aiohttp needs two turns more before it waits for the next request.
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _turns_us(
    connections: Sequence[_Connection], sent: Sequence[bytes], rounds: int
) -> float:
    """Return the CPU time of each request, where answers take turns of the loop."""
    began_s = time.thread_time()
    for _ in range(rounds):
        await _answered(connections, sent)
    return (time.thread_time() - began_s) / rounds / len(sent) * 1e6


def _at_once_us(connection: _Connection, chunks: Sequence[bytes]) -> float:
    """Return the CPU time of each chunk, where each is answered within the call."""
    take, before = connection.protocol.data_received, connection.transport.writes
    began_s = time.thread_time()
    for chunk in chunks:
        take(chunk)
    used_s = time.thread_time() - began_s
    if connection.transport.writes - before != len(chunks):
        raise RuntimeError("the fast path did not answer each read at once")
    return used_s / len(chunks) * 1e6


def _new(chunk: bytes, count: int) -> list[bytes]:
    """Return new objects, as from a socket: bytes remember their hash."""
    return [bytes(bytearray(chunk)) for _ in range(count)]


class _Sides(NamedTuple):
    """What is asked in turns; ``fast`` and ``plain`` are the same replica."""

    fast: list[_Connection]
    plain: list[_Connection]
    bare: _Connection
    beats: list[bytes]


class _Turn(NamedTuple):
    """CPU time of each request in one turn, in microseconds."""

    fast: float
    traced: float
    pipelined: float
    plain: float
    bare: float
    fast_beat: float
    plain_beat: float


async def _measure() -> list[Figure]:
    sides = await _sides()
    traced = iter(Stream((TRACED,)))
    gc.collect()
    gc.freeze()
    turns: list[_Turn] = []
    for _ in range(TURNS):
        await asyncio.sleep(0)
        fast, plain = sides.fast[0], sides.plain[0]
        pipelined = _new(READ * PIPELINED, FAST_READS // PIPELINED)
        turns.append(
            _Turn(
                fast=_at_once_us(fast, _new(READ, FAST_READS)),
                traced=_at_once_us(fast, list(islice(traced, FAST_READS))),
                pipelined=_at_once_us(fast, pipelined) / PIPELINED,
                plain=await _turns_us([plain], [READ], ORDINARY_READS),
                bare=await _turns_us([sides.bare], [READ], ORDINARY_READS),
                fast_beat=await _turns_us(sides.fast, sides.beats, FAST_ROUNDS),
                plain_beat=await _turns_us(sides.plain, sides.beats, ORDINARY_ROUNDS),
            )
        )
    return _figures(turns)


def _figures(turns: Sequence[_Turn]) -> list[Figure]:
    by_name = dict(zip(_Turn._fields, zip(*turns, strict=True), strict=True))
    fast_us = by_name["fast"]
    return [
        ratio(
            "read: ours as an ordinary aiohttp application / fast path",
            by_name["plain"],
            fast_us,
            aim=AIM,
            floor=FLOOR,
        ),
        ratio("read: a bare aiohttp handler / fast path", by_name["bare"], fast_us),
        ratio(
            "read with a new traceparent / the same read again",
            by_name["traced"],
            fast_us,
            floor=TRACED_FLOOR,
            better="lower",
        ),
        ratio(
            f"each of {PIPELINED} pipelined reads / a read alone",
            by_name["pipelined"],
            fast_us,
            floor=PIPELINED_FLOOR,
            better="lower",
        ),
        ratio(
            "heartbeat: ours as an ordinary aiohttp application / fast path",
            by_name["plain_beat"],
            by_name["fast_beat"],
            floor=BEAT_FLOOR,
        ),
        figure("read of the fast path", fast_us, "us", better="lower"),
        figure(
            "heartbeat of the fast path", by_name["fast_beat"], "us", better="lower"
        ),
    ]


async def _sides() -> _Sides:
    """Open connections with the fast path and without, to the same replica."""
    cases = UseCases(clock=LoopClock(), gathers=True)
    for number in range(INSTANCES):
        await cases.register("web", 8080 + number)
    ids = [await cases.register("beating", 9000 + n) for n in range(BEATING)]
    surface = create_surface(dependencies(cases))
    manager = await _manager(surface.app)
    settings = ConnectionSettings(
        node_id="a", observer=cases.metrics, keep_alive_s=75.0, on_lost=lambda _: None
    )
    loop = asyncio.get_running_loop()

    def fast() -> _Connection:
        hot = surface.hot
        return _Connection(FastProtocol(manager, loop=loop, settings=settings, hot=hot))

    def plain() -> _Connection:
        return _Connection(ApiProtocol(manager, loop=loop, settings=settings))

    sides = _Sides(
        fast=[fast() for _ in ids],
        plain=[plain() for _ in ids],
        bare=await _bare(fast()),
        beats=[request("POST", f"/heartbeat/{service_id}") for service_id in ids],
    )
    for connection in (*sides.fast, *sides.plain):
        await connection.ask()
    return sides


async def _bare(ours: _Connection) -> _Connection:
    """Return a connection to what one writes first; its list is the one in ours."""
    await ours.ask()
    listed = orjson.loads(bytes(ours.transport.last).partition(b"\r\n\r\n")[2])
    make: Callable[[], asyncio.Protocol] = await _manager(Handler(listed).app)
    connection = _Connection(make())
    await connection.ask()
    return connection


async def _manager(app: web.Application) -> web.Server:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    manager = runner.server
    assert manager is not None
    return manager
