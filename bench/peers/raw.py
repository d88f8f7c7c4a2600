"""Raw: a uvloop protocol that looks at nothing and sends the same bytes always.

It is the most that a Python server could do: the socket, and one call for each chunk.
The bytes are those of ours. Run as a module it is that server.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench.peers.peer import SERVICE, Peer, Server, Setting
from bench.peers.processes import ports, process, wait_answers
from bench.peers.words import ConstantWords, RegistryWords
from tests.support.process_ports import LOOPBACK

NAME = "raw"


@contextmanager
def raw(setting: Setting) -> Iterator[Peer]:
    """Run the responder with our answer."""
    folder = setting.own_folder(NAME)
    answer = folder / "answer"
    answer.write_bytes(setting.answer)
    with ports(1) as (port,):
        command = [sys.executable, "-m", "bench.peers.raw", str(port), str(answer)]
        with process(NAME, command, folder, setting.cores) as pid:
            url = wait_answers(NAME, pid, port, "/", folder)
            words = ConstantWords(RegistryWords().read(SERVICE))
            yield Peer(NAME, (Server(url, (pid,)),), words)


class _Responder(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's own class

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(self._answer)


async def _serve(port: int, answer: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Responder(answer), LOOPBACK, port, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
