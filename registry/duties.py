"""What a replica does by itself: the leader's duties, and what feeds them everywhere.

    on every replica   stamps (at each apply), pulse, opinions
    while leading      keeper (leases, drains, what to forget), monitor (checks)

Part of the composition, but without the cluster: the simulation composes replicas by
the same class.
"""

import asyncio
from collections.abc import Awaitable, Callable

from registry.catalog.machine import CatalogMachine
from registry.health.leadership import Means
from registry.health.monitor import HealthMonitor
from registry.health.opinions import OpinionGiver
from registry.health.plan import CheckSettings
from registry.health.scheduler import MOST_AT_ONCE
from registry.leases.clock import LeaseClock
from registry.leases.keeper import Keeper
from registry.leases.pulse import EACH_S, Pulse
from registry.leases.renewer import Renewer
from registry.leases.stamps import Stamps
from registry.ports import Clock, Consensus, DutyObserver, Prober
from registry.proposals import Proposals

AddDuty = Callable[[str, Callable[[], Awaitable[None]]], None]


class Duties:
    """The keeper, the monitor and what they stand on, wired for one replica.

    Stamps must hear of each index that is applied: ``applied`` and ``restored``.
    """

    def __init__(
        self,
        *,
        machine: CatalogMachine,
        consensus: Consensus,
        proposals: Proposals,
        clock: Clock,
        prober: Prober,
        settings: CheckSettings,
        observer: DutyObserver,
        random: Callable[[], float],
        most_probes: int = MOST_AT_ONCE,
    ) -> None:
        """``random``: uniform in [0, 1), for jitter; ``most_probes``: at once."""
        view, catalog = consensus.view, machine.catalog
        self._clock = clock
        self._lease_clock = LeaseClock()
        self._stamps = Stamps()
        self._pulse = Pulse(self._lease_clock, clock, view)
        self.renewer = Renewer(proposals, clock, observer)
        proposals.before_each = self.renewer.ride
        self._keeper = Keeper(
            catalog=catalog,
            proposals=proposals,
            clock=clock,
            lease_clock=self._lease_clock,
            stamps=self._stamps,
            settings=settings,
            observer=observer,
        )
        self._monitor = HealthMonitor(
            Means(
                catalog=catalog,
                proposals=proposals,
                prober=prober,
                clock=clock,
                view=view,
                settings=settings,
                observer=observer,
                random=random,
                most_at_once=most_probes,
            )
        )
        self._opinions = OpinionGiver(
            node_id=view().node_id,
            catalog=catalog,
            proposals=proposals,
            prober=prober,
            clock=clock,
            view=view,
            settings=settings,
            observer=observer,
        )
        machine.listeners += [self._keeper, self._monitor, self._opinions]

    def applied(self, index: int) -> None:
        """Stamp an index that was applied."""
        self._stamps.note(index, self._lease_clock.read(self._clock.now_s()))

    def restored(self, index: int) -> None:
        """Stamp all that came in a snapshot: as of now."""
        self._stamps.begin(index, self._lease_clock.read(self._clock.now_s()))

    def add_to(self, add_duty: AddDuty) -> None:
        """Have the leader's duties run while this replica leads."""
        add_duty("leases", self._keep)
        add_duty("health", self._monitor.run)

    async def _keep(self) -> None:
        # Not before the pulse has seen that somebody else leads: us.
        await asyncio.sleep(2 * EACH_S)
        await self._keeper.run()

    async def run(self) -> None:
        """Run what every replica does, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pulse.run())
            group.create_task(self._opinions.run())

    def troubles(self) -> tuple[str, ...]:
        """Return what `/health` must say of this replica."""
        return self._keeper.troubles()

    def counters(self) -> dict[str, float]:
        """Return the numbers that a scrape shows."""
        return {**self._keeper.counters(), **self._monitor.counters()}
