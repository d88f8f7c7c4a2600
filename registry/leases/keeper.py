"""The leader's keeper: ends what has run out, and never what was renewed.

It decides by lease time (``clock``) and the stamps of this replica, and proposes Expire
with the renewal that it had seen; a newer one in the log makes the Expire void. What
cannot be proposed now is looked at again: nothing is remembered but the deadlines.

Also ends drains whose time limit is over, and lets what is gone be forgotten after a
day. Correlated expiry: see ``watch`` and ``table.Share``.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeVar

import structlog

from registry.catalog.bounds import GONE_FOR_S
from registry.catalog.commands import (
    Expire,
    Expiry,
    Forget,
    Key,
    Opinion,
    Suspect,
    Undrain,
)
from registry.catalog.outcomes import Code
from registry.catalog.views import Catalog
from registry.errors import RegistryError
from registry.health.anew import run_anew
from registry.health.plan import CheckSettings
from registry.leases.clock import LeaseClock
from registry.leases.hold import Hold
from registry.leases.stamps import Stamps
from registry.leases.table import Deadlines
from registry.leases.watch import LeaseWatch
from registry.model import Drain, ServiceId
from registry.ports import Clock, DutyObserver
from registry.proposals import Proposals
from registry.readiness import EVICTIONS_HELD

AT_ONE_TURN = 500
"""Leases looked at before others get the loop: two or three milliseconds."""
ITEMS = 200
"""Of one Expire or Undrain."""
LONGEST_SLEEP_S = 0.05
RETRY_S = 0.25
DEADLINE_S = 1.0
"""Of a proposal. Short: what was true when it was made should still be when it is
applied."""
FORGET_EACH_S = 60.0
MOST_UNDER_WAY = 16
TIME_IS_OVER = "drained: time limit reached"

T = TypeVar("T")

log = structlog.get_logger()


class Keeper:
    """The duty, and the ``Listener`` that it hears the catalog by."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        proposals: Proposals,
        clock: Clock,
        lease_clock: LeaseClock,
        stamps: Stamps,
        settings: CheckSettings,
        observer: DutyObserver,
    ) -> None:
        self._catalog = catalog
        self._proposals = proposals
        self._clock = clock
        self._lease_clock = lease_clock
        self._stamps = stamps
        self._settings = settings
        self._observer = observer
        self._ids: dict[Key, tuple[ServiceId, ...]] = {}
        """Whose leases were entered; the catalog's own tuples."""
        self._noted: dict[Key, None] | None = None
        """What changed since the last look; None while not leading."""
        self._leases = LeaseWatch(catalog, stamps, settings)
        self._hold = Hold(self._leases, observer, self._now_s)
        self._drains: Deadlines[Key] = Deadlines()
        self._room = asyncio.Semaphore(MOST_UNDER_WAY)

    def changed(self, keys: list[Key]) -> None:
        """Note instances whose leases or drains may be new."""
        if self._noted is not None:
            self._noted.update(dict.fromkeys(keys))

    def suspected(self, position: int, command: Suspect) -> None:
        """Nothing to us."""

    def opined(self, position: int, command: Opinion) -> None:
        """Nothing to us."""

    def troubles(self) -> tuple[str, ...]:
        """Return what `/health` must say."""
        return (EVICTIONS_HELD,) if self._leases.is_holding else ()

    def counters(self) -> dict[str, float]:
        """Return what a scrape shows; zeros while not leading."""
        return {
            "registry_leases": float(len(self._leases)),
            "registry_evictions_held": float(self._leases.is_holding),
        }

    async def run(self) -> None:
        """Keep until cancelled. A defect is logged, and all begins anew."""
        await run_anew(self._lead, what="lease keeper")

    def _now_s(self) -> float:
        return self._lease_clock.sure(self._clock.now_s())

    async def _lead(self) -> None:
        self._begin_anew()
        self._noted = {}
        try:
            await self._in_slices(self._catalog.keys(), self._enter_instance)
            drained = [key for key, _drain in self._catalog.drains()]
            await self._in_slices(drained, lambda key, _: self._enter_drain(key))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forget_old())
                group.create_task(self._hold.judge())
                while True:
                    noted, self._noted = self._noted, {}
                    await self._in_slices(noted, self._enter_instance)
                    is_all = await self._end_due(group)
                    await asyncio.sleep(self._sleep_s() if is_all else 0)
        finally:
            self._noted = None
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._leases = LeaseWatch(self._catalog, self._stamps, self._settings)
        self._hold = Hold(self._leases, self._observer, self._now_s)
        self._drains = Deadlines()
        self._ids = {}

    async def _in_slices(
        self, items: Iterable[T], enter: Callable[[T, float], None]
    ) -> None:
        now_s = self._now_s()
        for number, item in enumerate(items, 1):
            enter(item, now_s)
            if number % AT_ONE_TURN == 0:
                await asyncio.sleep(0)
                now_s = self._now_s()

    def _enter_lease(self, service_id: ServiceId) -> None:
        self._leases.enter(service_id, self._now_s())

    def _enter_instance(self, key: Key, now_s: float) -> None:
        slot = self._catalog.slot(key)
        former = self._ids.pop(key, ())
        ids: tuple[ServiceId, ...] = ()
        if slot is not None:
            ids = self._ids[key] = slot.ids
        for service_id in former:
            if service_id not in ids:  # It left: it is forgotten now.
                self._leases.enter(service_id, now_s)
        for service_id in ids:
            self._leases.enter(service_id, now_s)
        self._enter_drain(key)

    def _enter_drain(self, key: Key) -> None:
        drain = self._catalog.drain(key)
        ends_s = None if drain is None else self._drain_ends_s(drain)
        if ends_s is None:
            self._drains.drop(key)
        else:
            self._drains.put(key, ends_s)

    def _drain_ends_s(self, drain: Drain) -> float | None:
        if not drain.limit_seconds:
            return None
        return self._stamps.at(drain.position >> 8) + drain.limit_seconds

    def _sleep_s(self) -> float:
        nexts_s = (self._leases.next_s(), self._drains.next_s())
        next_s = min((n for n in nexts_s if n is not None), default=float("inf"))
        left_s = next_s - self._now_s()
        return min(LONGEST_SLEEP_S, max(0.001, left_s))

    # -- ending

    async def _end_due(self, group: asyncio.TaskGroup) -> bool:
        """End what is due; False if there may be more."""
        now_s = self._now_s()
        due = self._leases.take_due(now_s, AT_ONE_TURN)
        if await self._hold.begins(due):
            for service_id in due:
                self._leases.enter(service_id, now_s)
            return False
        for start in range(0, len(due), ITEMS):
            await self._begin(group, partial(self._expire, due[start : start + ITEMS]))
        drains = self._drains.pop_due(now_s, ITEMS)
        for key in drains:
            await self._begin(group, partial(self._undrain, key))
        return len(due) < AT_ONE_TURN and len(drains) < ITEMS

    async def _begin(
        self, group: asyncio.TaskGroup, work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        await self._room.acquire()
        task = group.create_task(work())
        # Not by the work itself: one that is cancelled before it began has no end.
        task.add_done_callback(lambda _: self._room.release())

    async def _expire(self, service_ids: list[ServiceId]) -> None:
        items = []
        # Time has passed since: some may have been renewed, ended or held.
        for service_id in self._leases.still_due(service_ids, self._now_s()):
            lease = self._catalog.lease(service_id)
            after_s = None if lease is None else self._leases.lasted_s(lease)
            if lease is None or after_s is None:
                self._enter_lease(service_id)  # It ended meanwhile: forgotten.
                continue
            generation = lease.registration.generation
            items.append(Expiry(service_id, generation, lease.renewed_at, after_s))
        if not items:
            return
        were_kept = {i.service_id for i in items if self._is_kept(i.service_id)}
        command = Expire(items=tuple(items), at_ms=self._clock.wall_ms())
        try:
            proposed = await self._proposals.propose(
                command, deadline_s=self._clock.now_s() + DEADLINE_S
            )
        except RegistryError:
            for item in items:
                self._leases.again(item.service_id, self._now_s() + RETRY_S)
            return
        ended = [
            item.service_id
            for item, code in zip(items, proposed.outcome.items, strict=True)
            if code is Code.OK
        ]
        last = sum(service_id in were_kept for service_id in ended)
        self._observer.observe_evictions("lease_expired", len(ended) - last)
        self._observer.observe_evictions("deregister_after", last)
        if ended:
            log.info("Leases expired", count=len(ended), service_ids=ended[:10])
        for item in items:  # Renewed, or kept as expired: it has a new deadline.
            self._enter_lease(item.service_id)

    def _is_kept(self, service_id: ServiceId) -> bool:
        lease = self._catalog.lease(service_id)
        return lease is not None and lease.expired

    async def _undrain(self, key: Key) -> None:
        drain = self._catalog.drain(key)
        ends_s = None if drain is None else self._drain_ends_s(drain)
        if drain is None or ends_s is None or ends_s > self._now_s():
            self._enter_drain(key)  # Ended, or laid anew meanwhile.
            return
        at_ms, deadline_s = self._clock.wall_ms(), self._clock.now_s() + DEADLINE_S
        command = Undrain(
            keys=(key,), cause=TIME_IS_OVER, at_ms=at_ms, drained_at=drain.position
        )
        try:
            await self._proposals.propose(command, deadline_s=deadline_s)
        except RegistryError:
            self._drains.put(key, self._now_s() + RETRY_S)

    # -- forgetting

    async def _forget_old(self) -> None:
        while True:
            await asyncio.sleep(FORGET_EACH_S)
            try:
                while await self._forget_some():
                    pass
            except RegistryError as error:
                log.info("Could not let old entries go now", reason=error.code)

    async def _forget_some(self) -> bool:
        """Let a bounded number go; True if there may be more."""
        index = self._stamps.last_before(self._now_s() - GONE_FOR_S)
        before, oldest = (index + 1) << 8, self._catalog.oldest_gone()
        if not index or not oldest or oldest >= before:
            return False
        await self._proposals.propose(
            Forget(before=before, at_ms=self._clock.wall_ms()),
            deadline_s=self._clock.now_s() + DEADLINE_S,
        )
        return self._catalog.oldest_gone() != oldest
