"""What leases cost the leader, and how late they end.

100,000 leases of which none is due: the keeper and the pulse over a catalog without a
log. And 1,000 that run out, spread over some seconds, among 10,000: from the moment at
which each was due until it was gone.
"""

import asyncio
import time
from pathlib import Path
from uuid import UUID

import msgspec
from structlog.testing import capture_logs

from bench.checks import AtOnce, Deaf
from bench.figures import Figure, Size, at_most, percentile
from bench.registrations import body
from registry import garbage
from registry.catalog.commands import Key, Opinion, Register, Suspect
from registry.catalog.machine import CatalogMachine
from registry.health.plan import CheckSettings
from registry.leases.clock import LeaseClock
from registry.leases.keeper import Keeper
from registry.leases.pulse import Pulse
from registry.leases.stamps import Stamps
from registry.node import LoopClock
from registry.proposals import Proposals

LEASES = 10_000
EXPIRIES = 1_000
SHARE = 1.0
"""Per cent of a core, with nothing due."""
LATE_MS = 100.0
SHORT_S = 1.0
"""The lease time of those that run out: the shortest that can be registered."""
SETTLE_S = 1.0
"""After the taking over, which is not part of the share."""


def measure(size: Size, folder: Path) -> list[Figure]:
    """Keep a full catalog with nothing to do; then end a thousand leases."""
    share = asyncio.run(_idle(size.registrations, 2 * size.seconds))
    expiries = min(EXPIRIES, size.registrations // 10)
    leases = min(LEASES, size.registrations)
    with capture_logs():  # A line for each batch that ends.
        late_ms = asyncio.run(_expire(leases, expiries, size.seconds))
    name = f"{expiries:,} expiries among {leases:,} leases, late by"
    return [
        at_most(f"{size.registrations:,} leases, none due", share, SHARE, "% CPU"),
        Figure(f"{name}: p50", f"{percentile(late_ms, 0.5):,.1f} ms"),
        at_most(f"{name}: p99", percentile(late_ms, 0.99), LATE_MS, "ms"),
    ]


class _Ends:
    """A listener that notes when instances went."""

    def __init__(self, machine: CatalogMachine) -> None:
        self._catalog = machine.catalog
        self.ended_s: dict[Key, float] = {}

    def changed(self, keys: list[Key]) -> None:
        """Note those that are gone."""
        now_s = time.monotonic()
        for key in keys:
            if self._catalog.slot(key) is None:
                self.ended_s[key] = now_s

    def suspected(self, position: int, command: Suspect) -> None:
        """Nothing of ours."""

    def opined(self, position: int, command: Opinion) -> None:
        """Nothing of ours."""


class _Leader:
    """A keeper and a pulse over a catalog."""

    def __init__(self) -> None:
        self.clock = LoopClock(asyncio.get_running_loop())
        self.lease_clock, self.stamps = LeaseClock(), Stamps()
        self.machine, observer = CatalogMachine(), Deaf()
        self.consensus = AtOnce(self.machine)
        self.keeper = Keeper(
            catalog=self.machine.catalog,
            proposals=Proposals(self.consensus, self.clock, observer),
            clock=self.clock,
            lease_clock=self.lease_clock,
            stamps=self.stamps,
            settings=CheckSettings(),
            observer=observer,
        )
        self.pulse = Pulse(self.lease_clock, self.clock, self.consensus.view)
        self.machine.listeners.append(self.keeper)

    async def register(self, number: int, ttl_s: float) -> Key:
        """Register an instance that lives by heartbeats alone."""
        asked = {
            "type": "register",
            "service_id": str(UUID(int=number)),
            "at_ms": 1_700_000_000_000,
            **body(number),
            "ttl_seconds": ttl_s,
            "health_endpoint": "",
        }
        made = msgspec.convert(asked, Register)
        await self.consensus.propose(msgspec.msgpack.encode(made), deadline_s=0.0)
        index = self.consensus.view().applied_index
        self.stamps.note(index, self.lease_clock.read(self.clock.now_s()))
        return made.name, made.host, made.port

    def start(self) -> list[asyncio.Task[None]]:
        """Lead."""
        garbage.tune()
        return [
            asyncio.create_task(self.pulse.run()),
            asyncio.create_task(self.keeper.run()),
        ]


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    if any(task.done() for task in tasks):
        raise RuntimeError("the keeper or the pulse ended")
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _idle(count: int, seconds: float) -> float:
    """Return per cent of a core."""
    leader = _Leader()
    for number in range(count):
        await leader.register(number, 3_600.0)
    tasks = leader.start()
    while leader.keeper.counters()["registry_leases"] < count:
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE_S)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    took_s, used_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    await _stop(tasks)
    return 100.0 * used_s / took_s


async def _expire(count: int, expiries: int, seconds: float) -> list[float]:
    """Return by how many ms each of the expiries was late."""
    leader = _Leader()
    ends = _Ends(leader.machine)
    leader.machine.listeners.append(ends)
    for number in range(expiries, count):
        await leader.register(number, 3_600.0)
    tasks = leader.start()
    await asyncio.sleep(SETTLE_S)
    due_s: dict[Key, float] = {}
    for number in range(expiries):
        key = await leader.register(number, SHORT_S)
        due_s[key] = time.monotonic() + SHORT_S
        await asyncio.sleep(seconds / expiries)
    deadline_s = time.monotonic() + 30.0
    while len(ends.ended_s) < expiries and time.monotonic() < deadline_s:
        await asyncio.sleep(0.1)
    await _stop(tasks)
    if len(ends.ended_s) < expiries:
        raise RuntimeError(f"{expiries - len(ends.ended_s)} leases did not end")
    late_ms = [1000.0 * (ends.ended_s[key] - at_s) for key, at_s in due_s.items()]
    if min(late_ms) < -5.0:
        raise RuntimeError("a lease ended before it was due")
    return late_ms
