"""How long one turn holds the loop of a whole replica under reads and writes.

By the CPU time of its thread in each callback, as `stall` does for snapshots: asyncio's
own loop, whose callbacks can be wrapped; all in them is the product's. Registrations
come to a catalog that is full already, so what depends on its size shows.
"""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import msgspec
import orjson
import structlog

from bench import registrations
from bench.figures import Figure, Size, at_most
from bench.load.run import loads, numbers
from bench.load.spec import Load
from bench.load.stream import NUMBER, Stream, request
from bench.members import flood, until
from bench.stall import OUTSTANDING, Stopwatch
from registry import garbage
from registry.catalog.commands import Register
from registry.config import Address, ClusterSettings, Config
from registry.node import RegistryNode

LIMIT_MS = 5.0
SERVICES = 1_000
"""New instances are spread over so many."""
BEATING = 1_000


def measure(size: Size, folder: Path) -> list[Figure]:
    """Put each kind of load on one replica in this process."""
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=quiet)
    garbage.tune()
    watch = Stopwatch()
    with watch.watching():
        longest_ms = asyncio.run(_measure(size, folder, watch))
    beside = f"{size.registrations:,} registrations"
    return [
        at_most(f"longest callback, {kind} beside {beside}", ms, LIMIT_MS, "ms CPU")
        for kind, ms in longest_ms.items()
    ]


async def _measure(size: Size, folder: Path, watch: Stopwatch) -> dict[str, float]:
    cluster = ClusterSettings(node_id="a", data_dir=str(folder / "a"), single=True)
    node = RegistryNode(Config(bind_address=Address("127.0.0.1", 0), cluster=cluster))
    await node.start()
    try:
        replica = node.replication.replica
        await until(lambda: replica.status().caught_up)
        await flood(replica, _commands(size.registrations), outstanding=OUTSTANDING)
        longest_ms = {}
        for kind, requests in _kinds(size.registrations).items():
            load = Load(
                urls=(f"http://127.0.0.1:{node.api.port}",),
                stream=Stream(requests, first=numbers()),
                connections=4 * size.connections,
                seconds=size.seconds,
            )
            longest_ms[kind] = await _longest_ms(load, watch)
        return longest_ms
    finally:
        await node.stop()


async def _longest_ms(load: Load, watch: Stopwatch) -> float:
    def under_way() -> float:
        with loads(load) as (running,):
            watch.take_ms()
            running.result()
            return watch.take_ms()

    return await asyncio.to_thread(under_way)


def _kinds(registered: int) -> dict[str, tuple[bytes, ...]]:
    host = {"host": f"node-{NUMBER.decode()}"}
    services = range(0, SERVICES * registrations.PER_SERVICE, registrations.PER_SERVICE)
    new = [orjson.dumps(_body(number) | host) for number in services]
    ids = [UUID(int=number) for number in range(min(BEATING, registered))]
    return {
        "registrations": tuple(request("POST", "/register", body) for body in new),
        "heartbeats": tuple(request("POST", f"/heartbeat/{one}") for one in ids),
        "reads": (request("GET", f"/services/{_body(registered - 1)['name']}"),),
    }


def _commands(count: int) -> Iterator[bytes]:
    for number in range(count):
        made = _body(number) | {"service_id": str(UUID(int=number)), "at_ms": 0}
        yield msgspec.msgpack.encode(
            msgspec.convert(made | {"type": "register"}, Register)
        )


def _body(number: int) -> dict[str, object]:
    """Return one with a lease and without a check: nothing is to be asked here."""
    return registrations.body(number) | {"ttl_seconds": 3600, "health_endpoint": ""}
