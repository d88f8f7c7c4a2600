"""The other end of a link by hand, to do what no replica of ours does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from cluster.links.framing import framed
from cluster.links.handshake import Established, Initiator, Party, Responder
from cluster.links.settings import Security, Tls
from cluster.links.tls import server_context

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def party(node_id: str, security: Security) -> Party:
    """Return a side that accepts everyone."""
    return Party(node_id, security, node_id.encode, lambda _peer, _hello: None)


async def message(reader: asyncio.StreamReader) -> bytes:
    """Return the next message."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


@contextlib.asynccontextmanager
async def opened(port: int) -> AsyncIterator[Streams]:
    """Connect to a replica, as anyone may."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def dial(
    streams: Streams, own: str, peer: str, security: Security
) -> Established:
    """Go through the handshake as ``own``, which dials ``peer``."""
    reader, writer = streams
    initiator = Initiator(party(own, security), peer)
    writer.write(framed(initiator.start()))
    while True:
        step = initiator.receive(await message(reader))
        if step.established is not None:
            return step.established
        writer.write(framed(step.send))


@contextlib.asynccontextmanager
async def reading_nothing(own: str, security: Security) -> AsyncIterator[int]:
    """Be a peer that accepts the link and then never reads; gives its port."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        responder = Responder(party(own, security), ("a",), names=("a",))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                step = responder.receive(await message(reader))
                writer.write(framed(step.send))
                if step.established is not None:
                    break
            await done.wait()
        writer.transport.abort()

    # A small limit: the streams stop reading when it is reached.
    context = server_context(security, own) if isinstance(security, Tls) else None
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=4_096, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        done.set()
        server.close()
        await server.wait_closed()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Return once the other side has closed, whatever it sent before."""
    async with asyncio.timeout(8.0):
        with contextlib.suppress(OSError):
            await reader.read()
    return True
