"""How long the event loop is held while a snapshot of a full catalog is made or read.

By the CPU time of its thread in each callback: on a shared machine the wall shows the
neighbours. The loop is asyncio's own, whose callbacks can be wrapped; the work in them
is the product's. A light load of writes goes on meanwhile.
"""

import asyncio
import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from bench import registrations
from bench.figures import Figure, Size, at_most
from bench.members import flood, member, until
from cluster.links.settings import Address
from cluster.replica import Replica
from registry import garbage
from registry.catalog.commands import Register
from registry.catalog.machine import CatalogMachine

STALL_MS = 20.0
READY_S = 5.0
ALONE: dict[str, Address] = {"a": ("127.0.0.1", 1)}
"""The address is not used: a cluster of one opens no port."""
OUTSTANDING = 1_024
SNAPSHOTS = 5
WRITE_EACH_S = 0.002


def measure(size: Size, folder: Path) -> list[Figure]:
    """Fill a cluster of one, then have it make snapshots."""
    watch = Stopwatch()
    with watch.watching():
        idle_ms, making_ms, took_s = asyncio.run(
            _make(size.registrations, folder, watch)
        )
        watch.take_ms()
        ready_s = asyncio.run(_read(size.registrations, folder))
        reading_ms = watch.take_ms()
    what = f"{size.registrations:,} registrations"
    return [
        at_most(f"longest callback, snapshot of {what}", making_ms, STALL_MS, "ms CPU"),
        Figure("longest callback without one", f"{idle_ms:.2f} ms CPU"),
        Figure("longest callback at a start from it", f"{reading_ms:.2f} ms CPU"),
        Figure("making the snapshot", f"{took_s:.2f} s"),
        at_most(f"start from a snapshot of {what}", ready_s, READY_S, "s"),
    ]


def commands(first: int, count: int) -> Iterator[bytes]:
    """Return registrations as they stand in the log."""
    for number in range(first, first + count):
        fields = registrations.body(number)
        service_id = str(UUID(int=number))
        made = {**fields, "service_id": service_id, "at_ms": 1_700_000_000_000}
        yield msgspec.msgpack.encode(
            msgspec.convert(made | {"type": "register"}, Register)
        )


class Stopwatch:
    """The longest callback since ``reset``, in CPU time of the loop's thread."""

    longest_s = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Wrap every callback of asyncio's loops."""
        run = events.Handle._run

        def timed(handle: events.Handle) -> None:
            began_s = time.thread_time()
            run(handle)
            self.longest_s = max(self.longest_s, time.thread_time() - began_s)

        events.Handle._run = timed  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            events.Handle._run = run  # type: ignore[method-assign]

    def take_ms(self) -> float:
        """Return the longest in milliseconds, and begin anew."""
        longest_s, self.longest_s = self.longest_s, 0.0
        return longest_s * 1000


async def _make(
    count: int, folder: Path, watch: Stopwatch
) -> tuple[float, float, float]:
    idle_ms = longest_ms = took_s = 0.0
    async with member("a", ALONE, folder / "a", CatalogMachine()) as replica:
        await until(lambda: replica.status().caught_up)
        await flood(replica, commands(0, count), outstanding=OUTSTANDING)
        garbage.tune()
        await asyncio.sleep(0)  # so that the collection is not part of a figure
        watch.take_ms()
        for number in range(SNAPSHOTS):
            await _write_a_little(replica, count + 2 * number * 100)
            idle_ms = max(idle_ms, watch.take_ms())
            took_s = max(took_s, await _snapshot(replica, count, number))
            longest_ms = max(longest_ms, watch.take_ms())
    return idle_ms, longest_ms, took_s


async def _read(count: int, folder: Path) -> float:
    machine = CatalogMachine()
    began_s = time.monotonic()
    async with member("a", ALONE, folder / "a", machine) as replica:
        await until(lambda: replica.status().caught_up)
        took_s = time.monotonic() - began_s
        if machine.catalog.instances < count:
            raise RuntimeError("not all registrations came back")
    return took_s


async def _snapshot(replica: Replica, count: int, number: int) -> float:
    node = replica._node
    assert node is not None
    made = node.compaction.made
    began_s = time.monotonic()
    node.compaction.make()
    first = count + (2 * number + 1) * 100
    while node.compaction.made == made:
        if time.monotonic() > began_s + 60.0:
            raise TimeoutError("no snapshot was made")
        await _write_a_little(replica, first, writes=10)
    return time.monotonic() - began_s


async def _write_a_little(replica: Replica, first: int, *, writes: int = 100) -> None:
    loop = asyncio.get_running_loop()
    for command in commands(first, writes):
        await replica.propose(command, deadline_s=loop.time() + 5.0)
        await asyncio.sleep(WRITE_EACH_S)
