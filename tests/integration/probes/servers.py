"""Small real servers that behave badly, and a prober for them."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from registry.health.networks import NetworkRules
from registry.health.probes.prober import TableProber, tls_context
from registry.ports import Target

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Handler = Callable[[Reader, Writer], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def target(port: int, kind: str = "http", **changes: object) -> Target:
    """Return a target on loopback; names of fields change it."""
    wanted: dict[str, object] = {
        "kind": kind,
        "host": "127.0.0.1",
        "port": port,
        "path": "/health" if kind == "http" else "",
        "timeout_s": 5.0,
    }
    return Target(**{**wanted, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def prober(
    *,
    deny: Sequence[str] = (),
    nameservers: Sequence[str] = (),
    ca_file: Path | str = "",
    max_kept: int = 100,
) -> AsyncIterator[TableProber]:
    """Run one."""
    made = TableProber(
        NetworkRules(allow=(), deny=deny),
        tls=tls_context(verify=True, ca_file=str(ca_file)),
        nameservers=nameservers,
        max_kept=max_kept,
    )
    try:
        yield made
    finally:
        await made.close()


class Serving:
    """A running server: its port, how often it was connected to, what it was sent."""

    listener: asyncio.Server
    """Once closed, nobody listens; open connections stay."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []


@asynccontextmanager
async def serving(handler: Handler, **options: object) -> AsyncIterator[Serving]:
    """Run a server on loopback, each connection in the handler."""
    running = Serving()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        running.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handler(reader, writer)
        tasks.discard(task)
        writer.close()

    server = await asyncio.start_server(
        connected,
        "127.0.0.1",
        0,
        **options,  # type: ignore[arg-type]
    )
    running.listener = server
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def answering(
    *answers: bytes, then_close: bool = False
) -> AsyncIterator[Serving]:
    """Serve the answers in turn, the last one for ever, on kept connections."""
    left = list(answers)
    places: list[Serving] = []

    async def handle(reader: Reader, writer: Writer) -> None:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            places[0].requests.append(request)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()
            if then_close:
                return

    async with serving(handle) as running:
        places.append(running)
        yield running


def reset(writer: Writer) -> None:
    """Break the connection as a crashed peer's machine does."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def closed_port() -> int:
    """Return a port where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
