"""How long one write takes when nothing else happens, synced by a majority."""

import asyncio
import http.client
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import uvloop

from bench.figures import Figure, Size, at_most, percentile
from bench.members import COMMAND_BYTES, Counter, leads_all, member, until
from tests.support.process_cluster import process_cluster
from tests.support.process_ports import LOOPBACK, ReservedPorts

P50_MS = 1.5
WARM_UP = 10


def measure(size: Size, folder: Path) -> list[Figure]:
    """Measure in one process, then over HTTP at the leader and at a follower."""
    latencies_ms = uvloop.run(_in_process(size.requests, folder))
    figures = _figures("in process, at the leader", latencies_ms)
    (folder / "http").mkdir()
    with process_cluster(folder / "http") as cluster:
        leader = cluster.leader()
        follower = cluster.others(leader)[0]
        for where, replica in (("leader", leader), ("follower", follower)):
            latencies_ms = _over_http(replica.url, size.requests)
            figures += _figures(f"over HTTP, at the {where}", latencies_ms)
    return figures


def _figures(where: str, latencies_ms: list[float]) -> list[Figure]:
    p50_ms, p99_ms = percentile(latencies_ms, 0.5), percentile(latencies_ms, 0.99)
    return [
        at_most(f"commit {where}, p50", p50_ms, P50_MS, "ms"),
        Figure(f"commit {where}, p99", f"{p99_ms:.2f} ms"),
    ]


async def _in_process(requests: int, folder: Path) -> list[float]:
    ports = ReservedPorts()
    addresses = {node_id: (LOOPBACK, ports.take()) for node_id in "abc"}
    async with AsyncExitStack() as stack:
        stack.callback(ports.close)
        replicas = [
            await stack.enter_async_context(
                member(node_id, addresses, folder / node_id, Counter())
            )
            for node_id in addresses
        ]
        await until(lambda: any(leads_all(replica) for replica in replicas))
        leader = next(replica for replica in replicas if leads_all(replica))
        loop = asyncio.get_running_loop()
        taken_ms = []
        for _ in range(WARM_UP + requests):
            began_s = time.perf_counter()
            await leader.propose(bytes(COMMAND_BYTES), deadline_s=loop.time() + 5.0)
            taken_ms.append((time.perf_counter() - began_s) * 1000)
    return taken_ms[WARM_UP:]


def _over_http(url: str, requests: int) -> list[float]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=5.0
    )
    taken_ms = []
    try:
        for number in range(WARM_UP + requests):
            host = f"10.0.{number >> 8 & 255}.{number & 255}"
            body = orjson.dumps({"name": "bench", "host": host, "port": 80})
            began_s = time.perf_counter()
            connection.request("POST", "/register", body=body)
            answer = connection.getresponse()
            answer.read()
            taken_ms.append((time.perf_counter() - began_s) * 1000)
            if answer.status != 200:
                raise RuntimeError(f"a registration was answered {answer.status}")
    finally:
        connection.close()
    return taken_ms[WARM_UP:]
