"""The write use cases: register, heartbeat, deregister. Each is one proposal, or two.

Runs on the event loop. A repeated register of the same ``service_id`` replaces it by
itself, a repeated heartbeat or deregister changes nothing further: with an id, all
three may be retried, so an unknown outcome always names the id.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from registry.admission import DEFAULT_KIND, CheckRules, SharedAddresses
from registry.catalog import bounds
from registry.catalog.causes import REPORTED
from registry.catalog.commands import Deregister, Register, SetStatus
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code
from registry.catalog.records import key_of
from registry.errors import OutcomeUnknown, UnknownServiceId
from registry.model import Check, MetadataValue, ServiceId, ServiceName, Status
from registry.ports import Clock
from registry.proposals import Proposals
from registry.verdicts import demand, unknown_naming


class RegistrationRequest(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A registration as a client asks for it: within bounds, defaults not filled in."""

    name: ServiceName
    host: str
    port: int
    service_id: ServiceId | None = None
    ttl_seconds: float | None = None
    health_endpoint: str = ""
    metadata: dict[str, MetadataValue] = {}
    tags: tuple[str, ...] = ()
    zone: str = ""
    weight: int = 1
    version: str = ""
    check: Check | None = None
    initial_status: Status | None = None


class StatusReport(msgspec.Struct, frozen=True, gc=False):
    """What a heartbeat says of its own service, for those that cannot be probed."""

    status: Status
    note: str = ""


class Written(msgspec.Struct, frozen=True, gc=False):
    """A write that took effect: the registration concerned, and the log's index."""

    service_id: ServiceId
    index: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What a registration gets where its request says nothing."""

    ttl_seconds: float
    initial_status: Status = Status.HEALTHY
    """Of those with a health check: for the others nobody would ever change it."""
    exclusive: bool = False
    """Whether an address given to another service takes the old entry with it."""


Renewal = asyncio.Future[tuple[int, Code]]
"""The index and the outcome of one renewal; it fails like a proposal. Not to be
cancelled: others may wait for it.
"""


class Renewals(Protocol):
    """Gathers heartbeats into commands; the leases' renewer."""

    def renew(self, service_id: ServiceId, *, deadline_s: float) -> Renewal:
        """Begin one renewal."""


class Registrar:
    """Turns checked requests into commands, and outcomes into answers or errors."""

    def __init__(
        self,
        *,
        proposals: Proposals,
        renewer: Renewals,
        machine: CatalogMachine,
        clock: Clock,
        new_id: Callable[[], str],
        settings: Settings,
        checks: CheckRules,
    ) -> None:
        self._proposals = proposals
        self._renewer = renewer
        self._catalog = machine.catalog
        self._clock = clock
        self._new_id = new_id
        self._settings = settings
        self._checks = checks
        self._shared = SharedAddresses(machine.catalog, clock)
        # Bound once: structlog would look its configuration up at each line.
        self._log = structlog.stdlib.get_logger("registry").bind()

    async def register(
        self, request: RegistrationRequest, *, deadline_s: float
    ) -> Written:
        """Make or replace a registration; without an id it gets a new one.

        Raises a leaf of NotReplicated, OutcomeUnknown (with the id to retry under),
        ServiceIdTaken, CatalogFull, AddressDenied, or InvalidField for a kind of check.
        """
        if _has_check(request):
            kind = DEFAULT_KIND if request.check is None else request.check.kind
            self._checks.judge(kind, request.host)
        # The id is chosen here, before the log, which has no randomness (I1).
        service_id = request.service_id or ServiceId(self._new_id())
        ttl_s = request.ttl_seconds
        command = Register(
            service_id=service_id,
            name=request.name,
            host=request.host,
            port=request.port,
            at_ms=self._clock.wall_ms(),
            ttl_seconds=self._settings.ttl_seconds if ttl_s is None else ttl_s,
            health_endpoint=request.health_endpoint,
            metadata=request.metadata,
            tags=request.tags,
            zone=request.zone,
            weight=request.weight,
            version=request.version,
            initial_status=self._initial_status(request),
            check=request.check,
            exclusive=self._settings.exclusive,
        )
        index = await self._propose(
            command,
            service_id,
            deadline_s,
            is_repeatable=request.service_id is not None,
        )
        self._log.info(
            "Service registered", service_id=service_id, service_name=request.name
        )
        self._shared.warn_if_shared(request.host, request.port)
        return Written(service_id, index)

    async def deregister(self, service_id: ServiceId, *, deadline_s: float) -> Written:
        """End one registration. Raises like ``register``, or UnknownServiceId."""
        command = Deregister(service_id=service_id, at_ms=self._clock.wall_ms())
        index = await self._propose(command, service_id, deadline_s)
        self._log.info("Service deregistered", service_id=service_id)
        return Written(service_id, index)

    async def heartbeat(
        self,
        service_id: ServiceId,
        *,
        deadline_s: float,
        report: StatusReport | None = None,
    ) -> Written:
        """Renew the lease, then set the status that the service reports, if it differs.

        A heartbeat is a proof of life whatever it reports, so the renewal comes first.
        Raises like ``deregister``.
        """
        renewal = self.renew(service_id, deadline_s=deadline_s)
        await asyncio.wait((renewal,))
        written = self.renewed(service_id, renewal)
        if report is None:
            return written
        index = await self._report(service_id, report, deadline_s)
        return Written(service_id, max(index, written.index))

    def renew(self, service_id: ServiceId, *, deadline_s: float) -> Renewal:
        """Begin a heartbeat without a report, for callers that wait without a task."""
        return self._renewer.renew(service_id, deadline_s=deadline_s)

    def renewed(self, service_id: ServiceId, renewal: Renewal) -> Written:
        """Return what became of a renewal that is done. Raises like ``heartbeat``."""
        try:
            index, code = renewal.result()
        except OutcomeUnknown as error:
            raise unknown_naming(service_id) from error
        demand(code, service_id)
        return Written(service_id, index)

    async def _report(
        self, service_id: ServiceId, report: StatusReport, deadline_s: float
    ) -> int:
        """Propose the reported status; return the index, 0 if it stands already."""
        registration = self._catalog.registration(service_id)
        slot = None
        if registration is not None:
            # The status beneath a drain, which hides it and does not change it.
            slot = self._catalog.slot(key_of(registration))
        if registration is None or slot is None:
            # It left between the two steps.
            raise UnknownServiceId(f"no registration has the id {service_id}")
        is_same = slot.status is report.status
        if is_same and not _outranks(report, slot.cause):
            return 0
        command = SetStatus(
            service_id=service_id,
            generation=registration.generation,
            status=report.status,
            cause=_reported(report),
            at_ms=self._clock.wall_ms(),
            by_service=is_same,
        )
        # Stale: registered anew meanwhile, which asserts a status of its own (I5), or
        # expired meanwhile.
        return await self._propose(
            command, service_id, deadline_s, fine=(Code.STALE_GENERATION,)
        )

    async def _propose(
        self,
        command: Register | Deregister | SetStatus,
        service_id: ServiceId,
        deadline_s: float,
        fine: tuple[Code, ...] = (),
        *,
        is_repeatable: bool = True,
    ) -> int:
        try:
            proposed = await self._proposals.propose(command, deadline_s=deadline_s)
        except OutcomeUnknown as error:
            raise unknown_naming(service_id, is_repeatable=is_repeatable) from error
        if proposed.outcome.code not in fine:
            demand(proposed.outcome.code, service_id)
        return proposed.index

    def _initial_status(self, request: RegistrationRequest) -> Status:
        if request.initial_status is not None:
            return request.initial_status
        return self._settings.initial_status if _has_check(request) else Status.HEALTHY


def _has_check(request: RegistrationRequest) -> bool:
    return request.check is not None or bool(request.health_endpoint)


def _outranks(report: StatusReport, cause: str) -> bool:
    """Whether a status that stands already has a cause that must give way.

    Or a check that passes again would turn what itself says that it is unwell.
    """
    return report.status is Status.UNHEALTHY and not cause.startswith(REPORTED)


def _reported(report: StatusReport) -> str:
    cause = f"{REPORTED}{report.status.value} by heartbeat"
    if report.note:
        cause += f": {report.note}"
    return cause[: bounds.MAX_CAUSE_LENGTH]
