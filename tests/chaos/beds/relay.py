"""The network between replicas: one relay for each of them and each that it dials.

The bytes of a connection travel two ways, and each way is that of an ordered pair: what
``b`` answers on a connection that ``a`` dialled goes the way from ``b`` to ``a``. A way
that is cut forwards and resets nothing, as when packets are lost: a new connection is
made, and starves; one that is there falls silent; what is under way comes late, once
the way is whole again, as TCP would retransmit it. (Unlike there, a way is not stopped
by the acknowledgements lost on the other.)

Runs on an event loop in a thread of its own. Its methods are called from another one,
and return when what they say is so.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing, suppress
from itertools import permutations
from random import Random
from typing import Any, Self
from weakref import WeakSet

import uvloop

from tests.support.process_ports import LOOPBACK

PIECE_BYTES = 64 * 1024
PIECES = 64
"""Read and not forwarded yet, of one way of a connection; then its sender must wait."""
CALL_S = 10.0
RETRANSMIT_S = 0.2
"""What the loss of a packet costs at first; each further loss of it twice as much."""

Pair = tuple[str, str]


class Way:
    """From one replica to another, for whatever connection."""

    def __init__(self, seed: str) -> None:
        self.whole = asyncio.Event()
        self.whole.set()
        self.delay_s = 0.0
        self.jitter_s = 0.0
        self.loss = 0.0
        self._random = Random(seed)

    def trip_s(self) -> float:
        """Draw how long the next bytes take."""
        took_s = self.delay_s + self._random.uniform(-self.jitter_s, self.jitter_s)
        again_s = RETRANSMIT_S
        while self._random.random() < self.loss:
            took_s += again_s
            again_s *= 2
        return max(0.0, took_s)


class Relays:
    """All relays of a cluster, from ``ports``: where each replica listens.

    ``port(a, b)`` is where ``a`` finds ``b``; a context manager.
    """

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = dict(ports)
        self._ways: dict[Pair, Way] = {}
        self._listening: dict[Pair, int] = {}
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: WeakSet[asyncio.StreamWriter] = WeakSet()
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._loop = self._runner.get_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="relays")

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._do(self._listen())
        except BaseException:
            self.__exit__()  # else the thread keeps the process for ever
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._thread.join(CALL_S)
        self._runner.close()

    def port(self, dialler: str, peer: str) -> int:
        """Return the port at which one finds the other."""
        return self._listening[dialler, peer]

    def cut(self, sender: str, receiver: str) -> None:
        """Lose what one sends to the other."""
        self._set(lambda: self._ways[sender, receiver].whole.clear())

    def slow(
        self,
        sender: str,
        receiver: str,
        *,
        delay_s: float,
        jitter_s: float,
        loss: float,
    ) -> None:
        """Let what one sends to the other take so long, and lose a part of it."""

        def slow() -> None:
            way = self._ways[sender, receiver]
            way.delay_s, way.jitter_s, way.loss = delay_s, jitter_s, loss

        self._set(slow)

    def heal(self) -> None:
        """Make all ways whole and fast again."""

        def heal() -> None:
            for way in self._ways.values():
                way.delay_s = way.jitter_s = way.loss = 0.0
                way.whole.set()

        self._set(heal)

    # -- the thread

    def _run(self) -> None:
        self._runner.run(self._over.wait())

    def _set(self, change: Callable[[], None]) -> None:
        async def do() -> None:
            change()

        self._do(do())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_S)

    async def _listen(self) -> None:
        for pair in permutations(self._ports, 2):
            self._ways[pair] = Way(" ".join(pair))
        for pair in self._ways:
            server = await asyncio.start_server(self._taker(pair), LOOPBACK, 0)
            self._servers.append(server)
            self._listening[pair] = server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for writer in list(self._writers):
            writer.transport.abort()
        self._over.set()

    def _taker(
        self, pair: Pair
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._relay(pair, reader, writer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return take

    async def _relay(
        self, pair: Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Relay one connection until it ends."""
        dialler, peer = pair
        there, back = self._ways[dialler, peer], self._ways[peer, dialler]
        self._writers.add(writer)
        with closing(writer), suppress(OSError):
            # Packets of both ways make a connection.
            await there.whole.wait()
            await back.whole.wait()
            far, far_writer = await asyncio.open_connection(LOOPBACK, self._ports[peer])
            self._writers.add(far_writer)
            with closing(far_writer):
                await _until_one_ends(
                    _forward(there, reader, far_writer), _forward(back, far, writer)
                )


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of them until one is done; then it is over for the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _forward(
    way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Bring bytes from one to the other, in their order, up to the last."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(PIECES)

    async def read() -> None:
        due_s = 0.0
        data = b"x"
        while data:
            data = b""
            with suppress(OSError):  # reset: the same, with nothing to come
                data = await reader.read(PIECE_BYTES)
            due_s = max(due_s, loop.time() + way.trip_s())
            await pieces.put((due_s, data))
        await asyncio.Event().wait()  # the last of them is still under way

    async def write() -> None:
        while True:
            due_s, data = await pieces.get()
            if due_s > loop.time():
                await asyncio.sleep(due_s - loop.time())
            await way.whole.wait()
            if not data:
                return
            writer.write(data)
            await writer.drain()

    await _until_one_ends(read(), write())
