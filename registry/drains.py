"""Drain and undrain: take instances out of the list on purpose, and put them back.

By the id of a registration, which may be gone already, or by host: all instances of
a machine that is to be serviced. A drain holds an address, not a registration, so it
survives restarts of the service. All of it may be repeated.

What an id or a host stands for is read from this replica's catalog: whoever calls has
first let it reach every write acknowledged before (``Discovery.reach``, consistent).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import structlog

from registry.catalog.commands import Drain, Key, Undrain
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code
from registry.catalog.records import key_of
from registry.errors import (
    InternalRefusal,
    NotDrained,
    OutcomeUnknown,
    TooManyDrains,
    UnknownServiceId,
)
from registry.hosts import keys_of_host
from registry.model import ServiceId
from registry.ports import Clock
from registry.proposals import Proposals

KEYS_AT_ONCE = 200
"""In one command: small enough to be forwarded, and to be applied in a moment."""
UNDRAINED = "undrained"

_log = structlog.stdlib.get_logger("registry")


class DrainRequest(msgspec.Struct, frozen=True, gc=False):
    """Why, and for how long at most; 0: until undrained."""

    reason: str = ""
    limit_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Drained:
    """How many instances it concerned, and the log's index."""

    count: int
    index: int


class Drains:
    """The use cases. Raises like the registrar; a full list is TooManyDrains."""

    def __init__(
        self, *, proposals: Proposals, machine: CatalogMachine, clock: Clock
    ) -> None:
        self._proposals = proposals
        self._catalog = machine.catalog
        self._clock = clock

    async def drain(
        self, service_id: ServiceId, request: DrainRequest, *, deadline_s: float
    ) -> int:
        """Drain the instance behind a registration; return the index.

        Raises UnknownServiceId if there is none, and never was or too long ago.
        """
        command = self._drain((self._key(service_id),), request)
        drained = await self._propose(command, deadline_s)
        if not drained.count:
            raise UnknownServiceId(f"the instance of {service_id} is gone")
        return drained.index

    async def undrain(self, service_id: ServiceId, *, deadline_s: float) -> int:
        """End the drain of that instance; return the index. Raises NotDrained."""
        command = self._undrain((self._key(service_id),))
        undrained = await self._propose(command, deadline_s)
        if not undrained.count:
            raise NotDrained(f"the instance of {service_id} is not drained")
        return undrained.index

    async def drain_host(
        self, host: str, request: DrainRequest, *, deadline_s: float
    ) -> Drained:
        """Drain every instance of a host. What broke off half-way may be repeated."""
        keys = await keys_of_host(host, self._catalog.keys())
        commands = [self._drain(part, request) for part in _parts(keys)]
        return await self._propose_all(host, commands, deadline_s)

    async def undrain_host(self, host: str, *, deadline_s: float) -> Drained:
        """End every drain of a host, of instances that are gone, too."""
        keys = await keys_of_host(host, [key for key, _ in self._catalog.drains()])
        commands = [self._undrain(part) for part in _parts(keys)]
        return await self._propose_all(host, commands, deadline_s)

    def _key(self, service_id: ServiceId) -> Key:
        registration = self._catalog.registration(service_id)
        if registration is None:
            gone = self._catalog.gone(service_id)
            if gone is None:
                raise UnknownServiceId(f"no registration has the id {service_id}")
            registration = gone.registration
        return key_of(registration)

    def _drain(self, keys: tuple[Key, ...], request: DrainRequest) -> Drain:
        return Drain(
            keys=keys,
            reason=request.reason,
            at_ms=self._clock.wall_ms(),
            limit_seconds=request.limit_seconds,
        )

    def _undrain(self, keys: tuple[Key, ...]) -> Undrain:
        return Undrain(keys=keys, cause=UNDRAINED, at_ms=self._clock.wall_ms())

    async def _propose_all(
        self, host: str, commands: Iterable[Drain | Undrain], deadline_s: float
    ) -> Drained:
        count, index = 0, self._catalog.index
        for command in commands:
            done = await self._propose(command, deadline_s)
            count, index = count + done.count, max(index, done.index)
        _log.info("Host drained or undrained", host=host, instances=count)
        return Drained(count, index)

    async def _propose(self, command: Drain | Undrain, deadline_s: float) -> Drained:
        try:
            proposed = await self._proposals.propose(command, deadline_s=deadline_s)
        except OutcomeUnknown as error:
            raise OutcomeUnknown(
                "no answer by the deadline: the command may yet take effect; "
                "a retry is safe"
            ) from error
        items = proposed.outcome.items or (proposed.outcome.code,)
        if Code.TOO_MANY_DRAINS in items:
            raise TooManyDrains("no more instances can be drained; undrain some first")
        if Code.INTERNAL_REFUSAL in items:
            raise InternalRefusal("refused: internal_refusal")
        return Drained(items.count(Code.OK), proposed.index)


def _parts(keys: list[Key]) -> list[tuple[Key, ...]]:
    starts = range(0, len(keys), KEYS_AT_ONCE)
    return [tuple(keys[start : start + KEYS_AT_ONCE]) for start in starts]
