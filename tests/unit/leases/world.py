"""A leader's keeper over the real catalog and a fake consensus, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from registry.catalog.commands import AnyCommand, Deregister, Drain, Register, Renew
from registry.catalog.machine import CatalogMachine
from registry.health.plan import CheckSettings
from registry.leases.clock import LeaseClock
from registry.leases.keeper import Keeper
from registry.leases.stamps import Stamps
from registry.model import Check, ServiceId, ServiceName
from registry.ports import Committed
from registry.proposals import Proposals, Proposed
from tests.support.fake_consensus import FakeConsensus
from tests.unit.health.world import Observer, VirtualClock

HOST = "10.0.0.1"
KEY_80 = (ServiceName("web"), HOST, 80)


class Hearing(Observer):
    """Counts evictions and holds, too."""

    def __init__(self) -> None:
        super().__init__()
        self.evictions: dict[str, int] = {}
        self.holds = 0
        self.revivals = 0

    def observe_evictions(self, cause: str, count: int) -> None:
        """Count them."""
        self.evictions[cause] = self.evictions.get(cause, 0) + count

    def observe_hold(self) -> None:
        """Count it."""
        self.holds += 1

    def observe_revivals(self, count: int) -> None:
        """Count them."""
        self.revivals += count


class Stamping(FakeConsensus):
    """Stamps each index before it is applied, as a replica does."""

    def __init__(
        self,
        machine: CatalogMachine,
        clock: VirtualClock,
        lease_clock: LeaseClock,
        stamps: Stamps,
    ) -> None:
        super().__init__(machine, clock)
        self._now_s: Callable[[], float] = lambda: lease_clock.read(clock.now_s())
        self._stamps = stamps

    async def propose(
        self, command: bytes, *, deadline_s: float, schema: int = 1
    ) -> Committed:
        """Apply the command, and stamp it."""
        committed = await super().propose(command, deadline_s=deadline_s, schema=schema)
        self._stamps.note(self.index, self._now_s())
        return committed


class World:
    """One replica that leads while ``leading``; its lease clock runs if ``runs``."""

    def __init__(self, *, settings: CheckSettings | None = None) -> None:
        self.clock = VirtualClock()
        self.lease_clock = LeaseClock()
        self.stamps = Stamps()
        self.machine = CatalogMachine()
        self.catalog = self.machine.catalog
        self.consensus = Stamping(
            self.machine, self.clock, self.lease_clock, self.stamps
        )
        self.observer = Hearing()
        self.proposals = Proposals(self.consensus, self.clock, self.observer)
        self.runs = True
        self.keeper = Keeper(
            catalog=self.catalog,
            proposals=self.proposals,
            clock=self.clock,
            lease_clock=self.lease_clock,
            stamps=self.stamps,
            settings=settings or CheckSettings(),
            observer=self.observer,
        )
        self.machine.listeners.append(self.keeper)

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """Let the keeper lead."""
        tasks = [asyncio.create_task(self._observe())]
        tasks += [asyncio.create_task(self.keeper.run())]
        await asyncio.sleep(0.01)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def propose(self, command: AnyCommand) -> Proposed:
        """Apply a command that comes from elsewhere."""
        return await self.proposals.propose(
            command, deadline_s=self.clock.now_s() + 5.0
        )

    async def register(
        self, port: int = 80, *, ttl_s: float = 30.0, check: Check | None = None
    ) -> None:
        """Register the instance at ``port``, under an id of its own."""
        await self.propose(
            Register(
                service_id=ServiceId(f"id-{port}"),
                name=KEY_80[0],
                host=HOST,
                port=port,
                at_ms=self.clock.wall_ms(),
                ttl_seconds=ttl_s,
                check=check,
            )
        )

    async def deregister(self, port: int) -> None:
        """End the registration at ``port``."""
        at_ms = self.clock.wall_ms()
        await self.propose(Deregister(service_id=ServiceId(f"id-{port}"), at_ms=at_ms))

    async def renew(self, *ports: int) -> None:
        """Take heartbeats of the registrations at these ports."""
        ids = tuple(ServiceId(f"id-{port}") for port in ports)
        await self.propose(Renew(service_ids=ids, at_ms=self.clock.wall_ms()))

    async def drain(self, *, limit_s: float) -> None:
        """Drain the instance at port 80."""
        at_ms = self.clock.wall_ms()
        await self.propose(
            Drain(keys=(KEY_80,), reason="", at_ms=at_ms, limit_seconds=limit_s)
        )

    def lives(self, port: int = 80) -> bool:
        """Whether the registration has a lease that has not expired."""
        lease = self.catalog.lease(f"id-{port}")
        return lease is not None and not lease.expired

    async def _observe(self) -> None:
        while True:
            if self.runs:
                self.lease_clock.observe(self.clock.now_s(), able=True)
            await asyncio.sleep(0.05)
