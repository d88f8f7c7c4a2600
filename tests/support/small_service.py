"""Small real HTTP services to be registered and checked, all on one thread's loop.

Each answers any GET with the status that the test sets, and keeps when it was asked.
Standard library only, and HTTP as plain as can be: connections are kept alive.
"""

import asyncio
import contextlib
import threading
import time
from typing import Self

LOOPBACK = "127.0.0.1"
START_S = 5.0
JOIN_S = 10.0


class SmallService:
    """One service. A test may change its fields at any time, from its own thread."""

    def __init__(self, host: str = LOOPBACK) -> None:
        self.host = host
        self.port = 0
        self.status = 200
        self.delay_s = 0.0
        """How long it thinks about an answer."""
        self.is_cut_off = False
        """Connections break without an answer."""
        self.asked_s: list[float] = []
        """When each request was read, on the monotonic clock."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def probes(self) -> int:
        """How many requests it has read."""
        return len(self.asked_s)

    async def open(self) -> None:
        """Listen at a free port."""
        self._server = await asyncio.start_server(self._serve, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._open.add(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                if self.is_cut_off:
                    return
                self.asked_s.append(time.monotonic())
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                head = f"HTTP/1.1 {self.status} x\r\nContent-Length: 2\r\n\r\nok"
                writer.write(head.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # It was asked no more.
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def close(self) -> None:
        """Listen no more, and break what is connected."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()


class SmallServices:
    """Runs some of them in a thread for as long as the `with` lasts."""

    def __init__(self, *hosts: str) -> None:
        self.services = [SmallService(host) for host in hosts]
        self._loop = asyncio.new_event_loop()
        self._is_open = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="small-services")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_open.wait(START_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(JOIN_S)
        assert not self._thread.is_alive()

    def __getitem__(self, number: int) -> SmallService:
        """Return one of them."""
        return self.services[number]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()

    async def _serve(self) -> None:
        for service in self.services:
            await service.open()
        self._is_open.set()
        await self._over.wait()
        for service in self.services:
            service.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*connections, return_exceptions=True)
