"""One leadership of the health monitor: what is watched, and what is concluded.

It begins with nothing but the catalog, and ends with the leadership.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop

from registry.catalog.commands import Key
from registry.catalog.records import Slot
from registry.catalog.views import Catalog
from registry.health.plan import CheckSettings, plan_of
from registry.health.renewals import CheckRenewals
from registry.health.scheduler import MOST_AT_ONCE, Scheduler
from registry.health.second_opinion import SecondOpinion
from registry.health.targets import target_of
from registry.health.thresholds import CHECK_PASSED, FLAPPING, Action, Judgement
from registry.health.transitions import Transitions
from registry.health.watched import Watched
from registry.model import Status
from registry.ports import Clock, ClusterView, DutyObserver, Prober, ProbeResult, Target
from registry.proposals import Proposals

AT_ONE_TURN = 200
"""Instances looked at before others get the loop: about 4 ms."""
JITTER = 0.05
"""A delay is shorter by up to this share; never longer, as an interval is a promise."""
REPORTED = "reported unhealthy"
UNREACHABLE = "unreachable from "


@dataclass(frozen=True, slots=True)
class Means:
    """What the monitor works with, in all of its leaderships."""

    catalog: Catalog
    proposals: Proposals
    prober: Prober
    clock: Clock
    view: Callable[[], ClusterView]
    settings: CheckSettings
    observer: DutyObserver
    random: Callable[[], float]
    """Uniform in [0, 1)."""
    most_at_once: int = MOST_AT_ONCE


class Leadership:
    """What is known while this replica leads: it begins with nothing.

    Owner of the scheduler, and Judge of the second opinion.
    """

    def __init__(self, of: Means) -> None:
        self._of = of
        self._clock = of.clock
        self._watched: dict[Key, Watched] = {}
        self._noted: dict[Key, None] = {}
        self._wake = asyncio.Event()
        self.scheduler = Scheduler(
            owner=self,
            prober=of.prober,
            clock=of.clock,
            most_at_once=of.most_at_once,
        )
        self.opinions = SecondOpinion(
            judge=self,
            proposals=of.proposals,
            clock=of.clock,
            view=of.view,
            observer=of.observer,
        )
        self._transitions = Transitions(of.proposals, of.clock, failed=self.undecided)
        self._renewals = CheckRenewals(of.proposals, of.clock)

    def note(self, keys: list[Key]) -> None:
        """Look at instances soon."""
        self._noted.update(dict.fromkeys(keys))
        self._wake.set()

    async def run(self) -> None:
        """Enter what is there, then follow the catalog."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.scheduler.run())
            group.create_task(self._transitions.run())
            group.create_task(self._renewals.run())
            group.create_task(self.opinions.run())
            await self._enter_all()
            while True:
                await self._wake.wait()
                self._wake.clear()
                noted, self._noted = self._noted, {}
                await self._in_slices(noted, self._reconcile)

    async def _in_slices(
        self, keys: Iterable[Key], look: Callable[[Key], None]
    ) -> None:
        for number, key in enumerate(keys, 1):
            look(key)
            if number % AT_ONE_TURN == 0:
                await asyncio.sleep(0)

    async def _enter_all(self) -> None:
        """Spread what is there over one interval, the oldest proof of life first.

        By chance alone, some would be passed over by leader after leader, if each leads
        for less than an interval, until their leases end.
        """
        waiting: list[tuple[int, int, Key]] = []

        def put(key: Key) -> None:
            slot = self._of.catalog.slot(key)
            lease = None if slot is None else self._of.catalog.lease(slot.ids[-1])
            if lease is not None:
                waiting.append((lease.renewed_at, len(waiting), key))

        await self._in_slices(self._of.catalog.keys(), put)
        heapify(waiting)  # A sort would hold the loop.
        count = len(waiting)
        for rank in range(count):
            key = heappop(waiting)[-1]
            self._enter_known(key, (rank + self._of.random()) / count)
            if rank % AT_ONE_TURN == 0:
                await asyncio.sleep(0)

    def _enter_known(self, key: Key, share: float) -> None:
        """Begin with an instance that was there before this leadership."""
        slot = self._of.catalog.slot(key)
        if slot is None or key in self._watched:
            return
        lease = self._of.catalog.lease(slot.ids[-1])
        if lease is None:
            return
        plan = plan_of(lease.registration, self._of.settings)
        if plan is None:
            return
        judgement = Judgement(plan, slot.status, is_expired=lease.expired)
        self._watched[key] = Watched(key, lease, plan, judgement)
        self._enter(key, share * plan.interval_s)

    def _reconcile(self, key: Key) -> None:
        """Make what we watch what the catalog shows."""
        slot = self._of.catalog.slot(key)
        lease = None if slot is None else self._of.catalog.lease(slot.ids[-1])
        watched, plan = self._watched.get(key), None
        if slot is not None and lease is not None:
            if watched is not None and watched.is_of(lease):
                judgement, now_s = watched.judgement, self._clock.now_s()
                expired = lease.expired
                if judgement.follow(slot.status, is_expired=expired, now_s=now_s):
                    self._soon(watched)
                return
            plan = plan_of(lease.registration, self._of.settings)
        if watched is not None:  # Of others nothing is asked or wanted.
            self.opinions.withdraw(key)
            self._transitions.withdraw(key)
        if lease is None or slot is None or plan is None:
            if watched is not None:
                del self._watched[key]
                self.scheduler.drop(key)
            return
        former = None if watched is None else watched.judgement
        now_s = self._clock.now_s()
        judgement = Judgement.of_new(plan, slot.status, now_s=now_s, former=former)
        judgement.is_expired = lease.expired
        self._watched[key] = Watched(key, lease, plan, judgement)
        self._enter(key, 0.0)

    def target(self, key: Key) -> Target | None:
        """Return what the scheduler probes."""
        watched = self._watched.get(key)
        return None if watched is None else target_of(watched.plan)

    def probed(self, key: Key, result: ProbeResult, started_s: float) -> None:
        """Draw the conclusions of one probe, and enter the next."""
        watched = self._watched.get(key)
        slot = self._of.catalog.slot(key)
        if watched is None or slot is None:
            return  # A note of it is on its way to `_reconcile`.
        now_s = self._clock.now_s()
        self._of.observer.observe_check(
            kind=watched.plan.kind,
            passed=result.passed,
            latency_s=now_s - started_s,
        )
        step = watched.judgement.observe(result, now_s)
        share = self._of.random()
        if step.is_first:
            # What registered at the same moment is not probed at the same moment.
            delay_s = max(watched.judgement.soon_s, step.delay_s * share)
        else:
            delay_s = step.delay_s * (1 - JITTER * share)
        self._enter(key, started_s + delay_s - now_s)
        if result.passed:
            self.opinions.withdraw(key)
            self._transitions.withdraw(key)
            self._renewals.passed(watched)
            self._passed(watched, slot, step.action, step.cause)
            return
        self._renewals.failed(watched)
        self._transitions.withdraw(key, but=Status.UNHEALTHY)
        if step.action is Action.SUSPECT and not self._transitions.is_pending(key):
            watched.failure, watched.cause = result.cause, step.cause
            watched.fails_here = not result.is_ours
            self.opinions.ask(watched)

    def _passed(self, watched: Watched, slot: Slot, action: Action, cause: str) -> None:
        is_reported = slot.cause.startswith(REPORTED)
        if action is Action.PASS and not is_reported:
            self._transitions.put(watched, Status.HEALTHY, cause)
        elif action is Action.HOLD and not (
            is_reported or slot.cause.startswith(FLAPPING)
        ):
            self._transitions.put(watched, slot.status, cause)
        elif action is Action.NOTHING and slot.cause.startswith(UNREACHABLE):
            self._transitions.put(watched, slot.status, CHECK_PASSED)

    def decided(self, watched: Watched, *, failed: tuple[str, ...], dead: bool) -> None:
        """Carry out what most replicas say of an instance that fails here."""
        slot = self._of.catalog.slot(watched.key)
        if slot is None or self._watched.get(watched.key) is not watched:
            return
        if slot.status is Status.UNHEALTHY:
            return  # It has said so itself while we asked.
        if dead:
            self._transitions.put(watched, Status.UNHEALTHY, watched.cause)
            return
        watched.judgement.asked(self._clock.now_s())
        self._renewals.passed(watched)  # The others' probes are a proof of life.
        if not watched.fails_here:
            return  # We have not seen why those cannot reach it who cannot.
        only = " only" if len(failed) == 1 else ""
        who = f"{UNREACHABLE}{', '.join(failed)}{only}: "
        if not slot.cause.startswith(who):
            self._transitions.put(watched, slot.status, who + watched.failure)

    def undecided(self, watched: Watched) -> None:
        """Probe soon: what was not taken into the log is wanted again by a probe."""
        if self._watched.get(watched.key) is watched:
            self._soon(watched)

    def _soon(self, watched: Watched) -> None:
        due_s = self._clock.now_s() + watched.judgement.soon_s
        is_ailing = watched.judgement.is_ailing
        self.scheduler.hasten(watched.key, due_s, is_ailing=is_ailing)

    def _enter(self, key: Key, delay_s: float) -> None:
        is_ailing = self._watched[key].judgement.is_ailing
        due_s = self._clock.now_s() + max(0.0, delay_s)
        self.scheduler.enter(key, due_s, is_ailing=is_ailing)
