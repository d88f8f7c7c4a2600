"""The write use cases: register, heartbeat, deregister. Each is one proposal, or two.

Runs on the event loop. A proposal once made is not withdrawn when its caller goes
away: it is shielded, so a client that hangs up leaves nothing half done, and its
deadline bounds how long it lives.

A repeated register of the same ``service_id`` replaces it by itself, a repeated
heartbeat or deregister changes nothing further: with an id, all three may be retried.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from registry.catalog.commands import Command, Deregister, Register, Renew, SetStatus
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome, decode
from registry.errors import (
    InternalRefusal,
    OutcomeUnknown,
    RegistryError,
    ServiceIdTaken,
    TooManyBytes,
    TooManyRegistrations,
    TooManyServices,
    UnknownServiceId,
)
from registry.model import MetadataValue, ServiceId, ServiceName, Status
from registry.ports import Clock, Committed, Consensus

_log = structlog.stdlib.get_logger("registry")
_encoder = msgspec.msgpack.Encoder()

_REFUSALS: dict[Code, type[RegistryError]] = {
    Code.INTERNAL_REFUSAL: InternalRefusal,
    Code.UNKNOWN_SERVICE_ID: UnknownServiceId,
    Code.SERVICE_ID_TAKEN: ServiceIdTaken,
    Code.TOO_MANY_REGISTRATIONS: TooManyRegistrations,
    Code.TOO_MANY_SERVICES: TooManyServices,
    Code.TOO_MANY_BYTES: TooManyBytes,
}


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


class StatusReport(msgspec.Struct, frozen=True, gc=False):
    """What a heartbeat says of its own service, for those that cannot be probed."""

    status: Status
    note: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A write that took effect: the registration concerned, and the log's index."""

    service_id: ServiceId
    index: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What a registration gets where its request says nothing."""

    ttl_seconds: float
    initial_status: Status = Status.HEALTHY


class ProposalObserver(Protocol):
    """Hears of each proposal's end; must not block."""

    def observe_proposal(self, result: str, latency_s: float) -> None:
        """``result`` is ``committed``, ``refused`` or an error's stable code."""


class Registrar:
    """Turns checked requests into commands, and outcomes into answers or errors."""

    def __init__(
        self,
        *,
        consensus: Consensus,
        machine: CatalogMachine,
        clock: Clock,
        new_id: Callable[[], str],
        settings: Settings,
        observer: ProposalObserver,
    ) -> None:
        self._consensus = consensus
        self._catalog = machine.catalog
        self._clock = clock
        self._new_id = new_id
        self._settings = settings
        self._observer = observer
        self._under_way: set[asyncio.Task[Committed]] = set()

    async def register(
        self, request: RegistrationRequest, *, deadline_s: float
    ) -> Written:
        """Make or replace a registration; without an id it gets a new one.

        Raises a leaf of NotReplicated, OutcomeUnknown (with the id to retry under),
        ServiceIdTaken or CatalogFull.
        """
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
            initial_status=self._settings.initial_status,
        )
        index, outcome = await self._propose(command, service_id, deadline_s)
        _demand(outcome.code, service_id)
        _log.info(
            "Service registered", service_id=service_id, service_name=request.name
        )
        return Written(service_id, index)

    async def deregister(self, service_id: ServiceId, *, deadline_s: float) -> Written:
        """End one registration. Raises like ``register``, or UnknownServiceId."""
        command = Deregister(service_id=service_id, at_ms=self._clock.wall_ms())
        index, outcome = await self._propose(command, service_id, deadline_s)
        _demand(outcome.code, service_id)
        _log.info("Service deregistered", service_id=service_id)
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
        command = Renew(service_ids=(service_id,), at_ms=self._clock.wall_ms())
        index, outcome = await self._propose(command, service_id, deadline_s)
        _demand(outcome.code, service_id)
        if outcome.items:
            _demand(outcome.items[0], service_id)
        if report is not None:
            index = max(index, await self._report(service_id, report, deadline_s))
        return Written(service_id, index)

    async def _report(
        self, service_id: ServiceId, report: StatusReport, deadline_s: float
    ) -> int:
        """Propose the reported status; return the index, 0 if it stands already."""
        registration = self._catalog.registration(service_id)
        instance = self._catalog.instance(service_id)
        if registration is None or instance is None:
            # It left between the two steps.
            raise UnknownServiceId(f"no registration has the id {service_id}")
        if instance.status is report.status:
            return 0
        command = SetStatus(
            service_id=service_id,
            generation=registration.generation,
            status=report.status,
            cause=report.note or f"reported {report.status.value} by heartbeat",
            at_ms=self._clock.wall_ms(),
        )
        index, outcome = await self._propose(command, service_id, deadline_s)
        # Stale: registered anew meanwhile, which asserts a status of its own (I5).
        if outcome.code is not Code.STALE_GENERATION:
            _demand(outcome.code, service_id)
        return index

    async def _propose(
        self, command: Command, service_id: ServiceId, deadline_s: float
    ) -> tuple[int, Outcome]:
        started_s = self._clock.now_s()
        task = asyncio.ensure_future(
            self._consensus.propose(_encoder.encode(command), deadline_s=deadline_s)
        )
        self._under_way.add(task)
        task.add_done_callback(self._settled)
        try:
            committed = await asyncio.shield(task)
        except RegistryError as error:
            self._observer.observe_proposal(error.code, self._clock.now_s() - started_s)
            if isinstance(error, OutcomeUnknown):
                raise OutcomeUnknown(_unknown_detail(service_id)) from error
            raise
        outcome = decode(committed.outcome)
        result = "committed" if outcome.code in _TOOK_EFFECT else "refused"
        self._observer.observe_proposal(result, self._clock.now_s() - started_s)
        return committed.index, outcome

    def _settled(self, task: asyncio.Task[Committed]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Read it: the caller may be gone, and asyncio would complain.
            task.exception()


_TOOK_EFFECT = frozenset((Code.OK, Code.REVIVED, Code.UNCHANGED))


def _demand(code: Code, service_id: ServiceId) -> None:
    """Raise the error that a refusal stands for."""
    if code in _TOOK_EFFECT:
        return
    if code is Code.UNKNOWN_SERVICE_ID:
        raise UnknownServiceId(f"no registration has the id {service_id}")
    if code is Code.SERVICE_ID_TAKEN:
        raise ServiceIdTaken(
            f"{service_id} is registered under another service name, "
            "or was until its lease ran out less than a day ago"
        )
    raise _REFUSALS.get(code, InternalRefusal)(f"refused: {code.name.lower()}")


def _unknown_detail(service_id: ServiceId) -> str:
    return (
        "no answer by the deadline: the command may yet take effect; "
        f"a retry with the service_id {service_id} is safe"
    )
