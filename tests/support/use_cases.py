"""The use cases over the real catalog and a fake consensus: what API tests need."""

import asyncio
import itertools

from registry.admission import CheckRules
from registry.catalog.commands import AnyCommand, Renew
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code
from registry.discovery import Discovery
from registry.drains import Drains
from registry.health.plan import CheckSettings
from registry.leases.renewer import Renewer
from registry.metrics import Metrics
from registry.model import MetadataValue, ServiceId, ServiceName, Status
from registry.ports import Clock
from registry.proposals import Proposals, Proposed
from registry.refusals import Refusals
from registry.registrar import (
    Registrar,
    RegistrationRequest,
    Renewal,
    Renewals,
    Settings,
    StatusReport,
)
from registry.why import Why
from tests.support.fake_clock import FakeClock
from tests.support.fake_consensus import FakeConsensus

DENIED_HOST = "169.254.169.254"
KINDS = {"http": True, "tcp": True, "grpc": False}
"""As on a machine where nothing optional is installed."""


class DirectRenewer:
    """Renews at once, each alone: the gathering has tests of its own."""

    def __init__(self, proposals: Proposals, clock: Clock) -> None:
        self._proposals = proposals
        self._clock = clock

    def renew(self, service_id: ServiceId, *, deadline_s: float) -> Renewal:
        """Propose one renewal."""
        return asyncio.ensure_future(self._renew(service_id, deadline_s))

    async def _renew(
        self, service_id: ServiceId, deadline_s: float
    ) -> tuple[int, Code]:
        command = Renew(service_ids=(service_id,), at_ms=self._clock.wall_ms())
        proposed = await self._proposals.propose(command, deadline_s=deadline_s)
        (code,) = proposed.outcome.items
        return proposed.index, code


class UseCases:
    """One replica's use cases, wired as the product wires them."""

    def __init__(
        self,
        clock: Clock | None = None,
        machine: CatalogMachine | None = None,
        settings: Settings | None = None,
        *,
        gathers: bool = False,
    ) -> None:
        """``gathers``: heartbeats go together as in the product, in real time."""
        numbers = itertools.count(1)
        self.fake_clock = FakeClock()
        self.clock: Clock = clock or self.fake_clock
        self.machine = machine or CatalogMachine()
        self.consensus = FakeConsensus(self.machine, self.clock)
        self.metrics = Metrics(view=self.consensus.view, machine=self.machine)
        self.discovery = Discovery(consensus=self.consensus, machine=self.machine)
        self.proposals = Proposals(self.consensus, self.clock, self.metrics)
        self.drains = Drains(
            proposals=self.proposals, machine=self.machine, clock=self.clock
        )
        self.refusals = Refusals()
        self.why = Why(
            catalog=self.machine.catalog,
            refusals=self.refusals,
            view=self.consensus.view,
            settings=CheckSettings(),
        )
        self.troubles: tuple[str, ...] = ()
        """Codes of what a duty would call wrong."""
        renewer: Renewals = DirectRenewer(self.proposals, self.clock)
        if gathers:
            gathering = Renewer(self.proposals, self.clock, self.metrics)
            self.proposals.before_each = gathering.ride
            renewer = gathering
        self.registrar = Registrar(
            proposals=self.proposals,
            renewer=renewer,
            machine=self.machine,
            clock=self.clock,
            new_id=lambda: f"id-{next(numbers)}",
            settings=settings or Settings(ttl_seconds=300.0),
            checks=CheckRules(
                kinds=KINDS,
                literal_refusal=lambda host: "link-local" * (host == DENIED_HOST),
            ),
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

    async def propose(self, command: AnyCommand) -> Proposed:
        """Propose any other command, as a duty of the leader would."""
        return await self.proposals.propose(command, deadline_s=self.now_s)

    async def report(self, service_id: ServiceId, status: Status) -> None:
        """Let a service report its own status."""
        report = StatusReport(status)
        await self.registrar.heartbeat(service_id, deadline_s=self.now_s, report=report)
