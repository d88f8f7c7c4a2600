"""Writes over HTTP under load, in turns with an aiohttp handler that does nothing.

Absolute figures of a shared machine say little; the ratio within one run, and the CPU
per request, hold. Run as a module it is the server that does nothing.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import orjson
import uvloop
from aiohttp import web

from bench import client, registrations
from bench.figures import Figure, Size, cpu_s
from tests.support.process_cluster import process_cluster
from tests.support.process_http import try_ask
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.waiting import wait_until

RENEWED = 1_000


def measure(size: Size, folder: Path) -> list[Figure]:
    """Interleave registrations, heartbeats and the handler that does nothing."""
    with process_cluster(folder) as cluster, idle_handler() as (idle_url, idle_pid):
        ids = _registered_ids(cluster.urls, min(RENEWED, size.registrations))
        fresh = registrations.requests(first=RENEWED)
        renewals = cycle([client.request("POST", f"/heartbeat/{i}") for i in ids])
        nothing = cycle([client.request("POST", "/nothing", b"{}")])
        pids = [replica.pid for replica in cluster]
        kinds: dict[str, Callable[[], tuple[float, float]]] = {
            "a handler that does nothing": lambda: _turn(
                [idle_url], nothing, [idle_pid], size
            ),
            "registrations": lambda: _turn(cluster.urls, fresh, pids, size),
            "heartbeats": lambda: _turn(cluster.urls, renewals, pids, size),
        }
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
        for _ in range(size.turns):
            for name, turn in kinds.items():
                turns[name].append(turn())
    base = turns["a handler that does nothing"]
    figures = []
    for name, results in turns.items():
        ratio = statistics.median(
            mine[0] / other[0] for mine, other in zip(results, base, strict=True)
        )
        per_s = statistics.median(result[0] for result in results)
        cpu_us = statistics.median(result[1] for result in results)
        value = f"{per_s:,.0f} /s, ratio {ratio:.2f}, {cpu_us:.0f} us of CPU each"
        figures.append(Figure(f"{name}, {size.connections} connections", value))
    return figures


def _turn(
    urls: list[str], requests: Iterable[bytes], pids: list[int], size: Size
) -> tuple[float, float]:
    """Return requests per second, and CPU microseconds of all servers per request."""
    before_s, began_s = cpu_s(pids), time.perf_counter()
    load = client.run(
        urls,
        client.for_a_while(requests, size.seconds),
        connections=size.connections,
    )
    done = uvloop.run(load)
    took_s = time.perf_counter() - began_s
    return done / took_s, (cpu_s(pids) - before_s) / done * 1e6


def _registered_ids(urls: list[str], count: int) -> list[str]:
    answers: list[bytes] = []
    wanted = islice(registrations.requests(), count)
    uvloop.run(client.run(urls, wanted, connections=8, answers=answers))
    return [orjson.loads(answer)["service_id"] for answer in answers]


@contextmanager
def idle_handler() -> Iterator[tuple[str, int]]:
    """Run the server that does nothing; give its URL and pid."""
    ports = ReservedPorts()
    port = ports.take()
    process = subprocess.Popen([sys.executable, "-m", "bench.http", str(port)])
    url = f"http://{LOOPBACK}:{port}"
    try:
        wait_until(lambda: try_ask(url, "/nothing") is not None, "the idle handler")
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(15.0)
        ports.close()


async def _nothing(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=b"{}", content_type="application/json")


def _serve(port: int) -> None:
    app = web.Application()
    app.router.add_post("/nothing", _nothing)
    app.router.add_get("/nothing", _nothing)
    loop = uvloop.new_event_loop()
    web.run_app(
        app, host=LOOPBACK, port=port, loop=loop, access_log=None, print=lambda _: None
    )


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
