"""What the leader's health monitor costs by itself: a prober that does nothing.

10,000 instances at 30 s, all passing, over the real catalog without a log: scheduling,
judging and renewing. What the HTTP of a probe adds is not in it. And the longest
callback while a new leader takes over a full catalog, and while all of it is checked.
"""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from uuid import UUID

import msgspec

from bench.figures import Figure, Size, at_most
from bench.registrations import body
from bench.stall import Stopwatch
from registry import garbage
from registry.catalog.commands import Register
from registry.catalog.machine import CatalogMachine
from registry.health.leadership import Means
from registry.health.monitor import HealthMonitor
from registry.health.plan import CheckSettings
from registry.node import LoopClock
from registry.ports import ClusterView, Committed, ProbeResult, Target
from registry.proposals import Proposals
from tests.support.fake_consensus import LEADING

CHECKS = 10_000
SHARE = 5.0
"""Per cent of a core; with real probes 25 are allowed."""
CALLBACK_MS = 20.0
ROUNDS = 5
"""Of ``Size.seconds`` each."""
PASSED = ProbeResult(passed=True, cause="200")
VIEW = replace(LEADING, members=LEADING.members[:1])


def measure(size: Size, folder: Path) -> list[Figure]:
    """Check a moderate catalog for its cost, a full one for its longest callback."""
    count = min(CHECKS, size.registrations)
    watch = Stopwatch()
    share, probes_each_s, _ = asyncio.run(_check(count, size.seconds * ROUNDS, watch))
    with watch.watching():
        _, _, longest_ms = asyncio.run(_check(size.registrations, size.seconds, watch))
    return [
        at_most(f"{count:,} checks at 30 s, without probing", share, SHARE, "% CPU"),
        Figure("checks made", f"{probes_each_s:,.0f} /s"),
        at_most(
            f"longest callback, {size.registrations:,} checks are taken over",
            longest_ms,
            CALLBACK_MS,
            "ms CPU",
        ),
    ]


class _Prober:
    made = 0

    async def probe(self, target: Target) -> ProbeResult:
        """Do nothing, in one turn of the loop."""
        self.made += 1
        await asyncio.sleep(0)
        return PASSED


class AtOnce:
    """A consensus that applies."""

    def __init__(self, machine: CatalogMachine) -> None:
        self._machine = machine
        self._index = 0

    def view(self) -> ClusterView:
        """Return a leader alone."""
        return replace(VIEW, applied_index=self._index)

    async def propose(
        self, command: bytes, *, deadline_s: float, schema: int = 1
    ) -> Committed:
        """Apply it now."""
        self._index += 1
        outcome = self._machine.apply(self._index << 8, command)
        self._machine.applied(self._index)
        return Committed(self._index << 8, outcome)

    async def barrier(self, *, deadline_s: float) -> int:
        """Nothing is under way."""
        return self._index

    async def wait_applied(self, index: int, *, deadline_s: float) -> bool:
        """Everything is applied."""
        return True


class Deaf:
    """An observer that counts nothing."""

    def observe_proposal(self, result: str, latency_s: float) -> None:
        """Hear nothing."""

    def observe_check(self, *, kind: str, passed: bool, latency_s: float) -> None:
        """Hear nothing."""

    def observe_evictions(self, cause: str, count: int) -> None:
        """Hear nothing."""

    def observe_hold(self) -> None:
        """Hear nothing."""

    def observe_opinion(self, result: str) -> None:
        """Hear nothing."""

    def observe_revivals(self, count: int) -> None:
        """Hear nothing."""


def _registration(number: int) -> bytes:
    fields = body(number) | {"ttl_seconds": 300.0}
    made = {**fields, "service_id": str(UUID(int=number)), "at_ms": 1_700_000_000_000}
    return msgspec.msgpack.encode(
        msgspec.convert(made | {"type": "register"}, Register)
    )


async def _check(
    count: int, seconds: float, watch: Stopwatch
) -> tuple[float, float, float]:
    """Return per cent of a core, checks a second, the longest callback in ms."""
    machine, prober, observer = CatalogMachine(), _Prober(), Deaf()
    consensus = AtOnce(machine)
    for number in range(count):
        await consensus.propose(_registration(number), deadline_s=0.0)
    clock = LoopClock(asyncio.get_running_loop())
    monitor = HealthMonitor(
        Means(
            catalog=machine.catalog,
            proposals=Proposals(consensus, clock, observer),
            prober=prober,
            clock=clock,
            view=consensus.view,
            settings=CheckSettings(),
            observer=observer,
            random=Random(1).random,
        )
    )
    machine.listeners.append(monitor)
    garbage.tune()
    await asyncio.sleep(0)  # so that the collection is not part of a figure
    watch.take_ms()
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    duty = asyncio.create_task(monitor.run())
    await asyncio.sleep(seconds)
    took_s, used_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    if not prober.made or duty.done():
        raise RuntimeError("nothing was checked")
    duty.cancel()
    await asyncio.wait([duty])
    return 100.0 * used_s / took_s, prober.made / took_s, watch.take_ms()
