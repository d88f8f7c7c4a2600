"""What one health check over HTTP costs the replica that makes it, in CPU time.

The service is another process, so that only the prober is counted; both use uvloop, as
`registry serve` does. Run as a module it is that service.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import uvloop

from bench.figures import Figure, Size, at_most
from registry.health.networks import NetworkRules
from registry.health.probes.prober import TableProber, tls_context
from registry.ports import Target
from tests.support.process_ports import LOOPBACK

TARGET_US = 750.0
"""10,000 checks at 30 s in a quarter of a core."""
AT_ONCE = 8
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def measure(size: Size, folder: Path) -> list[Figure]:
    """Probe over kept and over fresh connections, in turns; and by connecting only."""
    kinds = {
        "HTTP probe, kept connection": ("http", 1),
        "HTTP probe, fresh connection": ("http", 0),
        "TCP probe": ("tcp", 0),
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    with _service() as port:
        for _ in range(size.turns):
            for name, (kind, max_kept) in kinds.items():
                turn = _turn(port, kind, size.requests, max_kept=max_kept)
                found[name].append(uvloop.run(turn))
    return [
        at_most(f"{name}, CPU", statistics.median(values), TARGET_US, "us")
        for name, values in found.items()
    ]


async def _turn(port: int, kind: str, probes: int, *, max_kept: int) -> float:
    """Return the microseconds of CPU per probe."""
    prober = TableProber(
        NetworkRules(allow=(), deny=("169.254.0.0/16", "fe80::/10")),
        tls=tls_context(verify=True, ca_file=""),
        max_kept=max_kept,
    )
    target = Target(kind, LOOPBACK, port, "/health", 5.0)

    async def some(count: int) -> None:
        for _ in range(count):
            result = await prober.probe(target)
            assert result.passed, result

    await some(1)
    began_s = time.process_time()
    each = max(1, probes // AT_ONCE)
    await asyncio.gather(*(some(each) for _ in range(AT_ONCE)))
    took_s = time.process_time() - began_s
    await prober.close()
    return took_s / (each * AT_ONCE) * 1e6


class _Service(asyncio.Protocol):
    """Answers whatever comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """One request is one segment here."""
        self._transport.write(_ANSWER)


@contextmanager
def _service() -> Iterator[int]:
    command = [sys.executable, "-m", "bench.probes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Service, LOOPBACK, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
