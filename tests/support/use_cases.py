"""The use cases over the real catalog and a fake consensus: what API tests need."""

import itertools

import msgspec

from registry.catalog.commands import AnyCommand
from registry.catalog.machine import CatalogMachine
from registry.discovery import Discovery
from registry.metrics import Metrics
from registry.model import MetadataValue, ServiceId, ServiceName, Status
from registry.ports import Clock
from registry.registrar import Registrar, RegistrationRequest, Settings, StatusReport
from tests.support.fake_clock import FakeClock
from tests.support.fake_consensus import FakeConsensus


class UseCases:
    """One replica's use cases, wired as the product wires them."""

    def __init__(
        self, clock: Clock | None = None, machine: CatalogMachine | None = None
    ) -> None:
        numbers = itertools.count(1)
        self.fake_clock = FakeClock()
        self.clock: Clock = clock or self.fake_clock
        self.machine = machine or CatalogMachine()
        self.consensus = FakeConsensus(self.machine, self.clock)
        self.metrics = Metrics(view=self.consensus.view, machine=self.machine)
        self.discovery = Discovery(consensus=self.consensus, machine=self.machine)
        self.registrar = Registrar(
            consensus=self.consensus,
            machine=self.machine,
            clock=self.clock,
            new_id=lambda: f"id-{next(numbers)}",
            settings=Settings(ttl_seconds=300.0),
            observer=self.metrics,
        )

    @property
    def now_s(self) -> float:
        """A deadline that has come: what would wait fails at once."""
        return self.clock.now_s()

    async def register(
        self,
        name: str = "web",
        port: int = 80,
        *,
        service_id: str | None = None,
        tags: tuple[str, ...] = (),
        zone: str = "",
        metadata: dict[str, MetadataValue] | None = None,
    ) -> ServiceId:
        """Register an instance of ``name``; return its id."""
        request = RegistrationRequest(
            name=ServiceName(name),
            host="10.0.0.1",
            port=port,
            service_id=None if service_id is None else ServiceId(service_id),
            tags=tags,
            zone=zone,
            metadata=metadata or {},
        )
        written = await self.registrar.register(request, deadline_s=self.now_s)
        return written.service_id

    async def propose(self, command: AnyCommand) -> None:
        """Propose any other command, as a duty of the leader would."""
        encoded = msgspec.msgpack.encode(command)
        await self.consensus.propose(encoded, deadline_s=self.now_s)

    async def report(self, service_id: ServiceId, status: Status) -> None:
        """Let a service report its own status."""
        report = StatusReport(status)
        await self.registrar.heartbeat(service_id, deadline_s=self.now_s, report=report)
