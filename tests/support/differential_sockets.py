"""A plain server and a fast one on loopback, over the same catalog, and raw clients."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Self

from registry.api.server import ApiServer
from tests.support.alike import SteadyClock, fill, masked
from tests.support.api_harness import LOOPBACK
from tests.support.http_bytes import WARM, get
from tests.support.surface import dependencies
from tests.support.use_cases import UseCases

DEADLINE_S = 20.0
TURNS = 6
"""So many turns of the loop until what was sent is read by the other end."""
LAST = get("/services/gone", "Connection: close")
"""Ends a connection, so that all its answers can be awaited."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A server and what it stands on."""

    cases: UseCases
    server: ApiServer

    async def exchange(self, pieces: Sequence[bytes]) -> bytes:
        """Send pieces, and a last request; return all answers."""
        async with Client.of(self) as client, asyncio.TaskGroup() as group:
            answers = group.create_task(client.rest())
            for piece in (*pieces, LAST):
                await client.send(piece)
        return masked(answers.result())


class Client:
    """One raw connection; every wait has a deadline."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._loop = asyncio.get_running_loop()

    @classmethod
    def of(cls, replica: Replica, *, kernel_bytes: int | None = None) -> Self:
        """Connect; ``kernel_bytes`` bounds what waits in the kernel on this side."""
        wire = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if kernel_bytes is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kernel_bytes)
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kernel_bytes)
        wire.connect((LOOPBACK, replica.server.port))
        wire.setblocking(False)
        return cls(wire)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._wire.close()

    async def send(self, data: bytes) -> None:
        """Send it, and let the server read it as a chunk of its own."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                await self._loop.sock_sendall(self._wire, data)
            except ConnectionError:
                return  # the server has hung up: what it told before is what counts
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def push(self, data: bytes) -> int:
        """Send what is taken at once; return how much that is."""
        try:
            return self._wire.send(data)
        except BlockingIOError:
            return 0

    def half_close(self) -> None:
        """Announce that nothing more will be sent."""
        self._wire.shutdown(socket.SHUT_WR)

    async def receive(self, most_bytes: int = 65_536) -> bytes:
        """Return what comes next; nothing at the end."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await self._loop.sock_recv(self._wire, most_bytes)
            except ConnectionResetError:
                return b""

    async def answers(self, count: int) -> bytes:
        """Return what comes until there are so many answers, the last one whole."""
        got = b""
        while got.count(b"HTTP/1.1 ") < count or not got.endswith(b"}"):
            more = await self.receive()
            assert more, f"hung up after {got!r}"
            got += more
        return got

    async def rest(self, most_bytes: int = 65_536) -> bytes:
        """Return what comes until the server hangs up."""
        got = bytearray()
        while more := await self.receive(most_bytes):
            got += more
        return bytes(got)


@asynccontextmanager
async def replicas(
    *, keep_alive_s: float = 75.0, stop_within_s: float = 5.0
) -> AsyncIterator[tuple[Replica, Replica]]:
    """Start a plain server and a fast one; on both the same targets are known."""
    async with AsyncExitStack() as stack:
        started: list[Replica] = []
        for is_plain in (True, False):
            cases = UseCases(clock=SteadyClock(), gathers=True)
            server = ApiServer(
                dependencies(cases, keep_alive_s=keep_alive_s),
                host=LOOPBACK,
                port=0,
                stop_within_s=stop_within_s,
                plain=is_plain,
            )
            await server.start()
            stack.push_async_callback(server.stop)
            await fill(cases)
            replica = Replica(cases, server)
            await replica.exchange([get(target) for target in WARM])
            started.append(replica)
        plain, fast = started
        yield plain, fast
