"""The read use cases: one service, all services, the counts; each with its consistency.

Runs on the event loop and reads the published views, so a plain read waits for nothing.
What a replica may answer is the table I10; how a read asks for more than that:

    min_index   wait until this replica has applied that index (read your writes)
    consistent  a barrier: see every write acknowledged before the read began
    stale       take what the disk held, before this replica has caught up
"""

from bisect import bisect_right
from dataclasses import dataclass

import orjson

from registry.catalog.machine import CatalogMachine
from registry.catalog.records import key_of
from registry.errors import IndexNotReached
from registry.model import Drain, Instance, MetadataValue, Status
from registry.ports import Consensus
from registry.readiness import answer_age_ms, not_caught_up


@dataclass(frozen=True, slots=True)
class Consistency:
    """What a read demands of the catalog that it is answered from."""

    consistent: bool = False
    min_index: int = 0
    stale: bool = False


@dataclass(frozen=True, slots=True)
class InstanceFilter:
    """Which instances of a service to list; all conditions must hold."""

    status: Status | None = Status.HEALTHY
    """None lists every status."""
    tags: tuple[str, ...] = ()
    zone: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    """Pairs of key and value as text: what is no string as our JSON writes it."""

    def matches(self, instance: Instance) -> bool:
        """Whether to list this instance."""
        registration = instance.registration
        if self.status is not None and instance.status is not self.status:
            return False
        if self.zone is not None and registration.zone != self.zone:
            return False
        if any(tag not in registration.tags for tag in self.tags):
            return False
        return all(
            key in registration.metadata
            and as_text(registration.metadata[key]) == value
            for key, value in self.metadata
        )


PLAIN = Consistency()
HEALTHY = InstanceFilter()
EVERY = InstanceFilter(status=None)


@dataclass(frozen=True, slots=True)
class Provenance:
    """How far an answer can be trusted, told with it (I10)."""

    age_ms: int | None = None
    """Since the leader was heard, where that is worth telling."""
    stale: bool = False
    """Answered before this replica has caught up, because the reader allowed it."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """The listed instances of one service, and the index of its last change."""

    name: str
    index: int
    instances: tuple[Instance, ...]


@dataclass(frozen=True, slots=True)
class ServiceCounts:
    """One service in the list of all."""

    name: str
    instances: int
    healthy: int


@dataclass(frozen=True, slots=True)
class ServicesAnswer:
    """One page of the list of all services; ``more`` if names follow it."""

    index: int
    services: tuple[ServiceCounts, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class CatalogCounts:
    """How many instances there are, and how many of them are healthy."""

    instances: int
    healthy: int


class Discovery:
    """Answers from this replica's own views.

    First ``reach`` the consistency wanted, then read: reads do not wait, so everything
    read before the next ``await`` is of one moment.
    """

    def __init__(self, *, consensus: Consensus, machine: CatalogMachine) -> None:
        self._consensus = consensus
        self._catalog = machine.catalog

    async def reach(self, wanted: Consistency, *, deadline_s: float) -> Provenance:
        """Wait until this replica may give the answer wanted; tell how far to trust it.

        Raises NotCaughtUp, IndexNotReached, or a leaf of NotReplicated when consistent.
        """
        if wanted.consistent:
            await self._consensus.barrier(deadline_s=deadline_s)
        if wanted.min_index > self._catalog.index:
            await self._wait_for(wanted.min_index, deadline_s)
        view = self._consensus.view()
        if view.caught_up:
            age_ms = answer_age_ms(view)
            return _FRESH if age_ms is None else Provenance(age_ms=age_ms)
        if not wanted.stale or not view.recovered:
            raise not_caught_up(view)
        return Provenance(age_ms=answer_age_ms(view), stale=True)

    def is_fresh(self) -> bool:
        """Whether a plain read may be answered now, without a word on its age (I10)."""
        view = self._consensus.view()
        return view.caught_up and answer_age_ms(view) is None

    def is_known(self, name: str) -> bool:
        """Whether a service has instances."""
        return self._catalog.counts(name)[0] > 0

    def service_index(self, name: str) -> int:
        """Return the index of a service's last change, without listing it."""
        return self._catalog.service_index(name)

    def service(self, name: str, wanted: InstanceFilter) -> ServiceAnswer:
        """List one service; an unknown one is empty, at the last removal's index."""
        candidates = self.candidates(name, wanted)
        if wanted is HEALTHY or wanted is EVERY:
            return candidates
        listed = tuple([i for i in candidates.instances if wanted.matches(i)])
        return ServiceAnswer(name, candidates.index, listed)

    def candidates(self, name: str, wanted: InstanceFilter) -> ServiceAnswer:
        """Return the instances to pick from: all that match HEALTHY, or EVERY, itself.

        For callers that pick from many a few at a time; one moment, however long.
        """
        view = self._catalog.service(name)
        if view is None:
            return ServiceAnswer(name, self._catalog.removal_index(name), ())
        healthy_only = wanted.status is Status.HEALTHY
        listed = view.healthy if healthy_only else view.instances
        return ServiceAnswer(name, view.index, listed)

    def drain(self, instance: Instance) -> Drain | None:
        """Return the drain that holds an instance out of the list, if one does."""
        return self._catalog.drain(key_of(instance.registration))

    def services(self, *, after: str, limit: int) -> ServicesAnswer:
        """List at most ``limit`` services whose names follow ``after``, by name."""
        names = self._catalog.names()
        start = bisect_right(names, after) if after else 0
        counts = tuple(self._count(name) for name in names[start : start + limit])
        return ServicesAnswer(self._catalog.index, counts, start + limit < len(names))

    def cluster_id(self) -> str:
        """Return the cluster whose indices these are; empty before there is one."""
        return self._consensus.view().cluster_id

    def counts(self) -> CatalogCounts | None:
        """Return what `/health` counts; None before it can be true (I10)."""
        if not self._consensus.view().caught_up:
            return None
        return CatalogCounts(self._catalog.instances, self._catalog.healthy)

    def _count(self, name: str) -> ServiceCounts:
        instances, healthy = self._catalog.counts(name)
        return ServiceCounts(name, instances, healthy)

    async def _wait_for(self, index: int, deadline_s: float) -> None:
        if not await self._consensus.wait_applied(index, deadline_s=deadline_s):
            applied = self._consensus.view().applied_index
            raise IndexNotReached(
                f"index {index} is not applied here; this replica is at {applied}"
            )


_FRESH = Provenance()


def as_text(value: MetadataValue) -> str:
    """Return a value of metadata as a query names it: as answers show it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
