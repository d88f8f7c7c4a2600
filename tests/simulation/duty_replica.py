"""A simulated replica with all that a registry's replica does by itself.

Composed of the real parts as `registry/node.py` composes them; the log, the way to the
services and the wall clock alone are the simulation's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cluster.config import ClusterConfig
from cluster.ports import Surroundings
from cluster.replica import Replica
from cluster.state_machine import StateMachine
from cluster.status import Applied
from registry.catalog.outcomes import Code
from registry.consensus import ReplicaConsensus
from registry.duties import Duties
from registry.errors import NotReplicated
from registry.health.plan import CheckSettings
from registry.model import ServiceId
from registry.ports import Committed, ProbeResult, Target
from registry.proposals import Proposals
from tests.simulation.judge import Judge
from tests.simulation.lease_judge import LeaseJudge
from tests.simulation.lease_machine import SimLeaseCatalog
from tests.simulation.services import PASSING, Mood, SimService
from tests.simulation.watched_machine import inner_of
from tests.support.sim_network import SimNetwork

SETTINGS = CheckSettings(
    interval_s=2.0, timeout_s=0.5, failures=2, successes=1, deregister_after_s=15.0
)
PROBE_TAKES_S = (0.001, 0.02)
LATE_S = 0.05
"""Whoever looks at the answer so much later finds that the time is over."""


class SignedConsensus(ReplicaConsensus):
    """The real one; each proposal is told apart, and its answer is judged."""

    def __init__(
        self,
        replica: Replica,
        loop: asyncio.AbstractEventLoop,
        node_id: str,
        judge: Judge,
        lease_judge: LeaseJudge,
    ) -> None:
        super().__init__(replica, loop, dict)
        self._node_id = node_id
        self._judge = judge
        self._lease_judge = lease_judge

    async def propose(
        self, command: bytes, *, deadline_s: float, schema: int = 1
    ) -> Committed:
        """Propose; what is answered must be true."""
        term = self._replica.status().term
        signed = self._lease_judge.sign(self._node_id, term, command)
        try:
            committed = await super().propose(
                signed, deadline_s=deadline_s, schema=schema
            )
        except NotReplicated as error:
            self._judge.on_refused(signed, type(error).__name__)
            raise
        applied = Applied(committed.position, committed.outcome)
        self._judge.on_written(self._replica.status(), applied.index)
        self._judge.on_acknowledged(self._node_id, signed, applied)
        return committed


class SimClock:
    """One host's clocks: the monotonic one of its loop, and a wall clock that lies."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, wall_ms: Callable[[], int]
    ) -> None:
        self._loop = loop
        self._wall_ms = wall_ms

    def now_s(self) -> float:
        """Monotonic seconds."""
        return self._loop.time()

    def wall_ms(self) -> int:
        """Whatever somebody set it to."""
        return self._wall_ms()


class SimProber:
    """One replica's way to the services."""

    def __init__(
        self,
        node_id: str,
        net: SimNetwork,
        random: Random,
        lease_judge: LeaseJudge,
        leads_term: Callable[[], int | None],
    ) -> None:
        self._node_id = node_id
        self._net = net
        self._random = random
        self._lease_judge = lease_judge
        self._leads_term = leads_term

    async def probe(self, target: Target) -> ProbeResult:
        """See ``Prober``."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        service = self._lease_judge.at(target.host, target.port)
        result = await self._ask(target, service)
        if loop.time() - began_s > target.timeout_s + LATE_S:
            return ProbeResult(passed=False, cause="timed out")
        if self._net.is_blind(self._node_id):
            return ProbeResult(passed=False, cause="unreachable", is_unreachable=True)
        self._lease_judge.probed(
            service.traits.key, passed=result.passed, leads_term=self._leads_term()
        )
        return result

    async def _ask(self, target: Target, service: SimService) -> ProbeResult:
        await asyncio.sleep(self._random.uniform(*PROBE_TAKES_S))
        mood = service.mood
        blind = self._net.is_blind(self._node_id)
        if blind or mood is Mood.DOWN:
            if self._random.random() < 0.7:
                return ProbeResult(
                    passed=False, cause="connect refused", is_unreachable=True
                )
            mood = Mood.STUCK
        if mood is Mood.STUCK:
            await asyncio.sleep(target.timeout_s - PROBE_TAKES_S[1])
            return ProbeResult(passed=False, cause="timed out")
        if mood in PASSING:
            return ProbeResult(passed=True, cause="200")
        return ProbeResult(passed=False, cause="503")


class Counting:
    """Hears what duties and proposals come to (DutyObserver and ProposalObserver)."""

    def __init__(self, judge: Judge, node_id: str) -> None:
        self._judge = judge
        self._node_id = node_id

    def observe_proposal(self, result: str, latency_s: float) -> None:
        """The judge hears of it otherwise."""

    def observe_check(self, *, kind: str, passed: bool, latency_s: float) -> None:
        """Count."""
        self._judge.counts["probes passed" if passed else "probes failed"] += 1

    def observe_evictions(self, cause: str, count: int) -> None:
        """Count."""
        self._judge.counts[f"evictions:{cause}"] += count

    def observe_hold(self) -> None:
        """Count, and note the time."""
        self._judge.counts["holds"] += 1
        self._judge.say(f"{self._node_id} holds evictions back")

    def observe_opinion(self, result: str) -> None:
        """Count."""
        self._judge.counts[f"opinions:{result}"] += 1

    def observe_revivals(self, count: int) -> None:
        """Count."""
        self._judge.counts["revivals observed"] += count


@dataclass(frozen=True, slots=True)
class Scene:
    """What the replicas of one run have around them, beside the cluster's ports."""

    judge: Judge
    lease_judge: LeaseJudge
    net: SimNetwork
    wall_ms: Callable[[str], int]
    """By replica."""


class DutyReplica(Replica):
    """A replica with its duties, as one life of a simulated node has it."""

    def __init__(
        self,
        config: ClusterConfig,
        machine: StateMachine,
        surroundings: Surroundings,
        *,
        scene: Scene,
        make_duties: Callable[..., Duties],
    ) -> None:
        super().__init__(config, machine, surroundings)
        loop = asyncio.get_running_loop()
        catalog = inner_of(machine, SimLeaseCatalog)
        node_id, random = config.node_id, Random(surroundings.random.getrandbits(64))
        consensus = SignedConsensus(self, loop, node_id, scene.judge, scene.lease_judge)
        clock = SimClock(loop, lambda: scene.wall_ms(node_id))
        observer = Counting(scene.judge, node_id)
        self.proposals = Proposals(consensus, clock, observer)
        self.machine = catalog
        self.catalog = catalog.catalog
        prober = SimProber(
            node_id,
            scene.net,
            random,
            scene.lease_judge,
            self._leads_term,
        )
        self.duties = make_duties(
            machine=catalog,
            consensus=consensus,
            proposals=self.proposals,
            clock=clock,
            prober=prober,
            settings=SETTINGS,
            observer=observer,
            random=random.random,
        )
        catalog.on_applied = self.duties.applied
        catalog.on_restored = self.duties.restored
        self.duties.add_to(self.add_duty)
        self._fatal = surroundings.fatal
        self._beside: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with what goes on beside the log, too; its end is the replica's."""
        self._beside = asyncio.get_running_loop().create_task(self._run_beside())
        await super().start()

    async def stop(self) -> None:
        """End both."""
        await super().stop()
        if self._beside is not None:
            self._beside.cancel()

    async def _run_beside(self) -> None:
        try:
            await self.duties.run()
        except Exception as error:
            self._fatal(f"what goes on beside the log failed: {error!r}")
        self._fatal("what goes on beside the log ended")

    def _leads_term(self) -> int | None:
        return self.status().term if self.leadership.is_leading else None

    async def heartbeat(self, service_id: ServiceId, *, deadline_s: float) -> Code:
        """Take one heartbeat, as the registrar does; return the item's code."""
        renewal = self.duties.renewer.renew(service_id, deadline_s=deadline_s)
        await asyncio.wait((renewal,))
        _, code = renewal.result()
        return code
