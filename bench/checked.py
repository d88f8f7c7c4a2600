"""A replica that checks 10,000 real HTTP services, and one beside it that checks none.

What the checks cost the leader (CPU of the process, idle use taken off), and what they
do to discovery reads on it: p99 with checks over p99 without, in interleaved rounds.
Run as a module it is the services: many ports that all answer 200.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import uvloop

from bench import client
from bench.figures import Figure, Size, at_most, cpu_s, percentile
from tests.support.process_cluster import process_cluster
from tests.support.process_ports import LOOPBACK

INTERVAL_S = 30.0
PORTS = 500
LARGEST = 10_000
READS_PER_S = 100
SETTLE_SHARE = 1.2
"""Of an interval, until each instance was probed and its next probe is spread."""


def measure(size: Size, folder: Path) -> list[Figure]:
    """Register, wait until the checks are spread, then measure in turns."""
    count = min(LARGEST, size.registrations)
    interval_s = INTERVAL_S if count == LARGEST else 1.0
    settings = {
        "HEALTH_CHECK_INTERVAL": str(interval_s),
        "HEALTH_CHECK_TIMEOUT": str(min(5.0, interval_s)),
        "SERVICE_REGISTRY_LOG_LEVEL": "warning",
    }
    (folder / "busy").mkdir()
    (folder / "calm").mkdir()
    with (
        services(min(PORTS, count)) as ports,
        process_cluster(folder / "busy", size=1, settings=lambda _: settings) as busy,
        process_cluster(folder / "calm", size=1, settings=lambda _: settings) as calm,
    ):
        for cluster, endpoint in ((busy, "/health"), (calm, "")):
            made = _registrations(count, ports, endpoint)
            uvloop.run(client.run(cluster.urls, made, connections=16))
        time.sleep(interval_s * SETTLE_SHARE)
        with_s: list[float] = []
        without_s: list[float] = []
        share = _cpu_share(next(iter(busy)).pid, next(iter(calm)).pid, interval_s)
        for _ in range(size.turns):
            with_s.append(percentile(uvloop.run(_reads(busy.urls[0], size)), 0.99))
            without_s.append(percentile(uvloop.run(_reads(calm.urls[0], size)), 0.99))
    ratio = statistics.median(a / b for a, b in zip(with_s, without_s, strict=True))
    what = f"{count:,} checks at {interval_s:g} s"
    p99_ms = statistics.median(with_s) * 1e3
    return [
        at_most(f"{what}: CPU of the leader", share * 100, 25.0, "% of a core"),
        at_most(f"{what}: p99 of reads, with over without", ratio, 1.3, "times"),
        Figure(f"{what}: p99 of reads", f"{p99_ms:.2f} ms"),
    ]


def _registrations(count: int, ports: list[int], endpoint: str) -> Iterator[bytes]:
    for number in range(count):
        asked: dict[str, object] = {
            "name": f"service-{number}",
            "host": LOOPBACK,
            "port": ports[number % len(ports)],
            "ttl_seconds": 3600,
        }
        if endpoint:
            asked["health_endpoint"] = endpoint
        yield client.request("POST", "/register", orjson.dumps(asked))


def _cpu_share(busy: int, calm: int, seconds: float) -> float:
    """Return what the one uses more than the other, of a core."""
    before_s, began_s = cpu_s([busy]) - cpu_s([calm]), time.perf_counter()
    time.sleep(seconds)
    spent_s = cpu_s([busy]) - cpu_s([calm]) - before_s
    return spent_s / (time.perf_counter() - began_s)


async def _reads(url: str, size: Size) -> list[float]:
    """Read at a steady pace over one connection; return how long each took."""
    took_s: list[float] = []
    until_s = time.perf_counter() + size.seconds
    number = 0
    while time.perf_counter() < until_s:
        number += 1
        read = client.request("GET", f"/services/service-{number % size.registrations}")
        began_s = time.perf_counter()
        await client.run([url], [read], connections=1)
        took_s.append(time.perf_counter() - began_s)
        await asyncio.sleep(1 / READS_PER_S)
    return took_s


@contextmanager
def services(count: int) -> Iterator[list[int]]:
    """Run the services in a process of their own; give their ports."""
    command = [sys.executable, "-m", "bench.checked", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


class _Well(asyncio.Protocol):
    """Answers each request with 200."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        transport.write(  # type: ignore[attr-defined]  # uvloop's own class
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * data.count(b"\r\n\r\n")
        )


async def _serve(count: int) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(_Well, LOOPBACK, 0) for _ in range(count)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
