"""A leader's monitor over the real catalog, with services that do as they are told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Expire,
    Expiry,
    Register,
)
from registry.catalog.machine import CatalogMachine
from registry.health.leadership import Means
from registry.health.monitor import HealthMonitor
from registry.health.opinions import OpinionGiver
from registry.health.plan import CheckSettings
from registry.model import Check, Instance, ServiceId, ServiceName, Status
from registry.ports import ClusterView, MemberView, ProbeResult, Target
from registry.proposals import Proposals, Proposed
from tests.support.fake_clock import START_WALL_MS
from tests.support.fake_consensus import FakeConsensus

PASSED = ProbeResult(passed=True, cause="200")
REFUSED = ProbeResult(passed=False, cause="connect refused", is_unreachable=True)
BROKEN = ProbeResult(passed=False, cause="503")
HOST = "10.0.0.1"


class VirtualClock:
    """The running loop's time, and a wall clock that goes with it."""

    def now_s(self) -> float:
        """Monotonic seconds."""
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> int:
        """Milliseconds since the epoch."""
        return START_WALL_MS + int(self.now_s() * 1000)


class FakeProber:
    """Answers by port, after a delay; remembers when it was asked."""

    def __init__(self) -> None:
        self.answers: dict[int, ProbeResult] = {}
        """By port; what is not here passes."""
        self.delays_s: dict[int, float] = {}
        self.breaks: Exception | None = None
        self.asked: list[tuple[float, int]] = []
        self.under_way = 0
        self.most_under_way = 0

    def times(self, port: int) -> list[float]:
        """Return when a port was probed, to a tenth of a second."""
        return [round(at_s, 1) for at_s, asked in self.asked if asked == port]

    async def probe(self, target: Target) -> ProbeResult:
        """Answer as told."""
        self.asked.append((asyncio.get_running_loop().time(), target.port))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.delays_s.get(target.port, 0.0))
        finally:
            self.under_way -= 1
        if self.breaks is not None:
            raise self.breaks
        return self.answers.get(target.port, PASSED)


class Observer:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.checks: Counter[bool] = Counter()
        self.opinions: Counter[str] = Counter()
        self.proposals: Counter[str] = Counter()
        self.breaks: Exception | None = None

    def observe_proposal(self, result: str, latency_s: float) -> None:
        """Count it."""
        self.proposals[result] += 1

    def observe_check(self, *, kind: str, passed: bool, latency_s: float) -> None:
        """Count it, or break as told."""
        if self.breaks is not None:
            raise self.breaks
        self.checks[passed] += 1

    def observe_opinion(self, result: str) -> None:
        """Count it."""
        self.opinions[result] += 1

    def observe_evictions(self, cause: str, count: int) -> None:
        """Not ours."""

    def observe_hold(self) -> None:
        """Not ours."""

    def observe_revivals(self, count: int) -> None:
        """Not ours."""


class World:
    """Replica ``a`` leads; the ``others`` answer its questions by their own probes."""

    def __init__(
        self,
        *,
        others: tuple[str, ...] = (),
        settings: CheckSettings | None = None,
        random: Callable[[], float] = lambda: 0.0,
        most_at_once: int = 1_024,
    ) -> None:
        self.settings = settings or CheckSettings()
        self.clock = VirtualClock()
        self.machine = CatalogMachine()
        self.consensus = FakeConsensus(self.machine, self.clock)
        self.observer = Observer()
        self.proposals = Proposals(self.consensus, self.clock, self.observer)
        self.prober = FakeProber()
        self.members = ("a", *others)
        self.monitor = HealthMonitor(
            Means(
                catalog=self.machine.catalog,
                proposals=self.proposals,
                prober=self.prober,
                clock=self.clock,
                view=self.view,
                settings=self.settings,
                observer=self.observer,
                random=random,
                most_at_once=most_at_once,
            )
        )
        self.probers = {name: FakeProber() for name in others}
        self.givers = {name: self._giver(name) for name in others}
        self.machine.listeners += [self.monitor, *self.givers.values()]

    def view(self) -> ClusterView:
        """Return a view in which all members are in contact."""
        members = tuple(MemberView(name, "", True, 0, 0.0) for name in self.members)
        return replace(self.consensus.view(), members=members)

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """Let the monitor lead, and the others answer."""
        tasks = [asyncio.create_task(self.monitor.run())]
        tasks += [asyncio.create_task(giver.run()) for giver in self.givers.values()]
        await asyncio.sleep(0)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def propose(self, command: AnyCommand) -> Proposed:
        """Apply a command that comes from elsewhere."""
        deadline_s = self.clock.now_s() + 5.0
        return await self.proposals.propose(command, deadline_s=deadline_s)

    async def register(
        self,
        port: int = 80,
        *,
        check: Check | None = None,
        status: Status = Status.HEALTHY,
        ttl_seconds: float = 300.0,
    ) -> None:
        """Register the instance at ``port``, under an id of its own."""
        await self.propose(
            Register(
                service_id=ServiceId(f"id-{port}"),
                name=ServiceName("web"),
                host=HOST,
                port=port,
                at_ms=self.clock.wall_ms(),
                ttl_seconds=ttl_seconds,
                check=check or Check(path="/health"),
                initial_status=status,
            )
        )

    async def deregister(self, port: int = 80) -> None:
        """End the registration at ``port``."""
        service_id = ServiceId(f"id-{port}")
        at_ms = self.clock.wall_ms()
        await self.propose(Deregister(service_id=service_id, at_ms=at_ms))

    async def expire(self, port: int = 80) -> None:
        """Let the lease at ``port`` run out, as the keeper would."""
        lease = self.machine.catalog.lease(f"id-{port}")
        assert lease is not None
        registration = lease.registration
        item = Expiry(
            registration.service_id, registration.generation, lease.renewed_at, 300.0
        )
        await self.propose(Expire(items=(item,), at_ms=self.clock.wall_ms()))

    def instance(self, port: int = 80) -> Instance:
        """Return what readers see."""
        instance = self.machine.catalog.instance(f"id-{port}")
        assert instance is not None
        return instance

    def shown(self, port: int = 80) -> tuple[Status, str]:
        """Return status and cause."""
        instance = self.instance(port)
        return instance.status, instance.cause

    def commands(self, kind: str) -> int:
        """Return how many commands of a type were proposed."""
        tag = kind.encode()
        return sum(b"\xa4type" in c and tag in c[:40] for c in self.consensus.proposed)

    def _giver(self, name: str) -> OpinionGiver:
        return OpinionGiver(
            node_id=name,
            catalog=self.machine.catalog,
            proposals=self.proposals,
            prober=self.probers[name],
            clock=self.clock,
            view=lambda: replace(self.view(), node_id=name, role="follower"),
            settings=self.settings,
            observer=self.observer,
        )
