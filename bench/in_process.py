"""What one read costs from the bytes received to the bytes sent, without a socket.

The fast path in turns with the same application left to aiohttp, and with a bare
handler that lists, counts and knows nothing; all in this process, over transports that
only count. By the CPU time of this thread, so that neighbours on the machine hardly
show: what is left is steady enough to be judged anywhere.
"""

import asyncio
import gc
import time
from collections.abc import Callable

import orjson
import uvloop
from aiohttp import web
from structlog.testing import capture_logs

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
DEADLINE_S = 10.0
REQUEST = b"GET /services/web HTTP/1.1\r\nHost: 127.0.0.1:8500\r\n\r\n"
"""As load generators send it; the figures that led to the floor were taken so."""
AIM, FLOOR = 35.0, 20.0


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
        """Send one request as a client would, and wait for the answer."""
        before = self.transport.writes
        self.protocol.data_received(REQUEST)
        async with asyncio.timeout(DEADLINE_S):
            while self.transport.writes == before:
                await asyncio.sleep(0)
        # aiohttp needs two turns more before it waits for the next request.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def ordinary_us(self, count: int) -> float:
        """Return the CPU time of each of ``count`` reads, one after another."""
        began_s = time.thread_time()
        for _ in range(count):
            before = self.transport.writes
            self.protocol.data_received(REQUEST)
            while self.transport.writes == before:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return (time.thread_time() - began_s) / count * 1e6

    def fast_us(self, count: int) -> float:
        """Return the same where each is answered within the call."""
        # Each a new object, as from a socket: bytes remember their hash.
        chunks = [bytes(bytearray(REQUEST)) for _ in range(count)]
        take, before = self.protocol.data_received, self.transport.writes
        began_s = time.thread_time()
        for chunk in chunks:
            take(chunk)
        used_s = time.thread_time() - began_s
        if self.transport.writes - before != count:
            raise RuntimeError("the fast path did not answer each read at once")
        return used_s / count * 1e6


async def _measure() -> list[Figure]:
    fast, plain = await _ours()
    bare = await _bare(fast)
    gc.collect()
    gc.freeze()
    fast_us: list[float] = []
    plain_us: list[float] = []
    bare_us: list[float] = []
    for _ in range(TURNS):
        await asyncio.sleep(0)
        fast_us.append(fast.fast_us(FAST_READS))
        bare_us.append(await bare.ordinary_us(ORDINARY_READS))
        plain_us.append(await plain.ordinary_us(ORDINARY_READS))
    name = "data_received: ours as an ordinary aiohttp application / fast path"
    return [
        ratio(name, plain_us, fast_us, aim=AIM, floor=FLOOR),
        ratio("data_received: a bare aiohttp handler / fast path", bare_us, fast_us),
        figure("data_received of the fast path", fast_us, "us", better="lower"),
    ]


async def _ours() -> tuple[_Connection, _Connection]:
    """Return a connection with the fast path and one without, to the same replica."""
    cases = UseCases(clock=LoopClock())
    for number in range(INSTANCES):
        await cases.register("web", 8080 + number)
    surface = create_surface(dependencies(cases))
    manager = await _manager(surface.app)
    settings = ConnectionSettings(
        node_id="a", observer=cases.metrics, keep_alive_s=75.0, on_lost=lambda _: None
    )
    loop = asyncio.get_running_loop()
    fast = FastProtocol(manager, loop=loop, settings=settings, hot=surface.hot)
    plain = ApiProtocol(manager, loop=loop, settings=settings)
    both = _Connection(fast), _Connection(plain)
    for connection in both:
        await asyncio.sleep(0)
        await connection.ask()  # it learns what the request asks for
    return both


async def _bare(fast: _Connection) -> _Connection:
    """Return a connection to what one writes first; its list is the one in ours."""
    await fast.ask()
    listed = orjson.loads(bytes(fast.transport.last).partition(b"\r\n\r\n")[2])
    make: Callable[[], asyncio.Protocol] = await _manager(Handler(listed).app)
    connection = _Connection(make())
    await asyncio.sleep(0)
    await connection.ask()
    return connection


async def _manager(app: web.Application) -> web.Server:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    manager = runner.server
    assert manager is not None
    return manager
