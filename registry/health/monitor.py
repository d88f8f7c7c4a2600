"""The leader's health monitor: which instances are probed, and what follows from it.

    catalog changes --> noted --> reconcile --> scheduler --> prober
                                                   |
        Renew <-- renewals <--- passed --- judgement --- enough failed --> ask others
        SetStatus <-- transitions <-- pass / hold        most agree: unhealthy
                                                         else: unreachable from …

The catalog's status is the only one; a judgement follows it, whoever changed it. With
each leadership everything begins anew: counts at nothing, no status reset, the first
probes spread over one interval.

What an instance says of itself outranks its check: one that has reported by heartbeat
that it is unhealthy stays so until it says otherwise or registers anew.
"""

import asyncio
from collections.abc import Callable, Iterable

from registry.catalog.commands import Key, Opinion, Suspect
from registry.catalog.records import Slot
from registry.catalog.views import Catalog
from registry.health.anew import run_anew
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


class HealthMonitor:
    """The duty, and the ``Listener`` that it hears the catalog by."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        proposals: Proposals,
        prober: Prober,
        clock: Clock,
        view: Callable[[], ClusterView],
        settings: CheckSettings,
        observer: DutyObserver,
        random: Callable[[], float],
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        """``random`` is uniform in [0, 1)."""
        self.catalog = catalog
        self.proposals = proposals
        self.prober = prober
        self.clock = clock
        self.view = view
        self.settings = settings
        self.observer = observer
        self.random = random
        self.most_at_once = most_at_once
        self._leadership: Leadership | None = None

    def changed(self, key: Key, position: int) -> None:
        """Note an instance to be looked at."""
        if self._leadership is not None:
            self._leadership.note(key)

    def suspected(self, position: int, command: Suspect) -> None:
        """Note that our own question is in the log."""
        if self._leadership is not None:
            self._leadership.opinions.suspected(position, command)

    def opined(self, position: int, command: Opinion) -> None:
        """Count another replica's answer."""
        if self._leadership is not None:
            self._leadership.opinions.opined(command)

    def counters(self) -> dict[str, float]:
        """Return the numbers of the scheduler; zeros while not leading."""
        if self._leadership is None:
            return {
                "registry_health_checks_scheduled": 0.0,
                "registry_health_checks_under_way": 0.0,
                "registry_health_check_lag_seconds": 0.0,
            }
        return self._leadership.scheduler.counters()

    async def run(self) -> None:
        """Monitor until cancelled. A defect is logged, and all begins anew."""
        await run_anew(self._lead, what="health monitor")

    async def _lead(self) -> None:
        self._leadership = Leadership(self)
        try:
            await self._leadership.run()
        finally:
            self._leadership = None


class Leadership:
    """What is known while this replica leads: it begins with nothing.

    Owner of the scheduler, and Judge of the second opinion.
    """

    def __init__(self, of: HealthMonitor) -> None:
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

    def note(self, key: Key) -> None:
        """Look at an instance soon."""
        self._noted[key] = None
        self._wake.set()

    async def run(self) -> None:
        """Enter what is there, then follow the catalog."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.scheduler.run())
            group.create_task(self._transitions.run())
            group.create_task(self._renewals.run())
            group.create_task(self.opinions.run())
            await self._in_slices(self._of.catalog.keys(), self._enter_known)
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

    def _enter_known(self, key: Key) -> None:
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
        self._enter(key, self._of.random() * plan.interval_s)

    def _reconcile(self, key: Key) -> None:
        """Make what we watch what the catalog shows."""
        catalog, now_s = self._of.catalog, self._clock.now_s()
        slot = catalog.slot(key)
        lease = None if slot is None else catalog.lease(slot.ids[-1])
        watched = self._watched.get(key)
        if slot is not None and lease is not None:
            if watched is not None and watched.is_of(lease):
                judgement = watched.judgement
                expired = lease.expired
                if judgement.follow(slot.status, is_expired=expired, now_s=now_s):
                    self._soon(watched)
                return
            plan = plan_of(lease.registration, self._of.settings)
        else:
            plan = None
        self.opinions.withdraw(key)
        self._transitions.withdraw(key)
        if lease is None or slot is None or plan is None:
            if self._watched.pop(key, None) is not None:
                self.scheduler.drop(key)
            return
        former = None if watched is None else watched.judgement
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
        is_ailing = watched.judgement.status is Status.UNHEALTHY
        self.scheduler.hasten(watched.key, due_s, is_ailing=is_ailing)

    def _enter(self, key: Key, delay_s: float) -> None:
        is_ailing = self._watched[key].judgement.status is Status.UNHEALTHY
        due_s = self._clock.now_s() + max(0.0, delay_s)
        self.scheduler.enter(key, due_s, is_ailing=is_ailing)
