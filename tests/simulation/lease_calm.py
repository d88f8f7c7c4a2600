"""What the list must show once all is healed, and nothing dies but what we kill.

First the list must become the truth. Then some services die, the leader loses its way
to all of them, and the dead, and only they, must leave the list in time.
"""

import asyncio
from random import Random
from typing import TYPE_CHECKING

from cluster.config import Timing
from registry.catalog.commands import Key
from registry.model import Status
from tests.simulation.duty_replica import DutyReplica
from tests.simulation.services import Mood, SimService
from tests.support.sim_node import SimNode

if TYPE_CHECKING:
    from tests.simulation.lease_clients import LeaseWorkload

POLL_S = 0.05
SLACK_S = 1.0
FLAPPING_INTERVALS = 6
DRAIN_LIMIT_S = 5.0


class Calm:
    """Judges the lists of all replicas in calm weather."""

    def __init__(
        self, workload: "LeaseWorkload", nodes: list[SimNode], random: Random
    ) -> None:
        self._workload = workload
        self._nodes = nodes
        self._random = random
        self._judge = workload.caller.judge
        self._is_blind = False
        timing = workload.caller.conditions.timing
        slowness = timing.append_period_s / Timing().append_period_s
        self._slack_s = SLACK_S * slowness

    async def check(self) -> None:
        """Wait for the truth, then see whether it stays."""
        services = self._workload.services
        settles_s = max(self._settles_s(service) for service in services)
        await asyncio.sleep(settles_s)
        self._demand_truth(services)
        if self._judge.violation is None:
            await self._let_some_die(services)
            self._demand_truth(services)

    def _settles_s(self, service: SimService) -> float:
        """How long until the list must show what the service is."""
        traits = service.traits
        # Held back (correlated expiry) for one more time to live at most.
        leaves_s = 2 * traits.lease_s + traits.check_takes_s
        returns_s = 0.0
        if traits.check is not None:
            # Probed with back-off while it was down; flapping after that.
            returns_s = service.down_for_s if service.mood is Mood.UP else 0.0
            returns_s += FLAPPING_INTERVALS * traits.check.interval_seconds
        return max(leaves_s, returns_s, DRAIN_LIMIT_S) * 1.2 + 2 * self._slack_s

    async def _let_some_die(self, services: list[SimService]) -> None:
        now_s = self._workload.caller.now_s
        up = [s for s in services if s.mood is Mood.UP and leaves(s)]
        victims = self._random.sample(up, min(2, len(up)))
        due_s: dict[Key, float] = {}
        for victim in victims:
            victim.change(Mood.DOWN)
            traits = victim.traits
            bound_s = traits.check_takes_s or traits.lease_s
            due_s[traits.key] = now_s() + bound_s * 1.1 + self._slack_s
        self._blind_leader()
        longest_s = max((s.traits.lease_s for s in services), default=0.0)
        ends_s = max([now_s() + 2 * longest_s, *due_s.values()]) + POLL_S
        while now_s() < ends_s and self._judge.violation is None:
            await asyncio.sleep(POLL_S)
            for service in services:
                if now_s() < due_s.get(service.traits.key, 0.0):
                    continue
                self._demand(service)

    def _blind_leader(self) -> None:
        if len(self._nodes) == 1 or self._random.random() < 0.5:
            return
        for node in self._nodes:
            if replica_of(node).leadership.is_leading:
                self._judge.say(f"{node.node_id}, which leads, is blind")
                self._workload.caller.net.blind(node.node_id)
                self._is_blind = True

    # -- what must be

    def _demand_truth(self, services: list[SimService]) -> None:
        for service in services:
            self._demand(service)
        for node in self._nodes:
            for key, drain in replica_of(node).catalog.drains():
                if drain.limit_seconds:
                    self._judge.violated(
                        f"{node.node_id}: the drain of {key} is not over, its limit "
                        f"was {drain.limit_seconds} s"
                    )

    def _demand(self, service: SimService) -> None:
        for node in self._nodes:
            shown = _shown(replica_of(node), service)
            if service.mood is Mood.DOWN and leaves(service):
                wrong = shown.startswith(Status.HEALTHY)
            elif service.mood is Mood.UP and stays(replica_of(node), service):
                wrong = not shown.startswith(Status.HEALTHY)
            else:
                continue
            if wrong:
                ago_s = self._workload.caller.now_s() - service.since_s
                self._judge.violated(
                    f"{node.node_id} shows {service.label} as {shown}, which is "
                    f"{service.mood.name} for {ago_s:.1f} s; {service.traits}"
                )


def leaves(service: SimService) -> bool:
    """Whether anybody can find out that it is down."""
    return service.traits.lease_s > 0 or service.traits.check is not None


def stays(replica: DutyReplica, service: SimService) -> bool:
    """Whether it is to be listed while it is up."""
    traits = service.traits
    if replica.catalog.drain(traits.key) is not None or not service.acknowledged:
        return False
    # Who never sends a heartbeat and was long dead is known no more.
    return traits.beats or replica.catalog.registration(service.service_id) is not None


def _shown(replica: DutyReplica, service: SimService) -> str:
    view = replica.catalog.service(service.traits.name)
    for instance in () if view is None else view.instances:
        registration = instance.registration
        if (registration.host, registration.port) == service.traits.key[1:]:
            return f"{instance.status.value} ({instance.cause})"
    return "absent"


def replica_of(node: SimNode) -> DutyReplica:
    """Return the replica of the node's present life."""
    assert isinstance(node.replica, DutyReplica)
    return node.replica
