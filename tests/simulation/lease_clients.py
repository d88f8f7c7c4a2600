"""The third workload: services that live and die, and what the registry makes of them.

Each replica runs its real duties (``duty_replica``). Services call any replica, as do
operators, who drain some of them; wall clocks are set hours forth and back. What is
decided is judged as it is applied (``lease_judge``), what the list shows when all is
calm again (``lease_calm``).
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from random import Random
from typing import Any, NoReturn, TypeVar

import msgspec
import structlog

from cluster.errors import ClusterError
from registry.catalog import invariants
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Drain,
    Register,
    Renew,
    Undrain,
)
from registry.catalog.outcomes import Code
from registry.errors import RegistryError
from registry.model import ServiceId
from tests.simulation.clients import Ask, Caller
from tests.simulation.duty_replica import DutyReplica, Scene
from tests.simulation.lease_calm import Calm, replica_of
from tests.simulation.lease_judge import LeaseJudge
from tests.simulation.services import SimService, draw_traits
from tests.support.sim_host import NodeDown, ReplicaPort
from tests.support.sim_node import SimNode
from tests.support.sim_node_loop import NodeLoop

T = TypeVar("T")

SERVICES = 12
CANARY_EACH_S = 0.15
CANARIES_AT_ONCE = 30
CANARY = ServiceId("a-canary")
REQUEST_S = 2.0
GIVES_UP_S = 3.0
WALL_STEPS_S = 6 * 3600
MOST_OF_A_TRACE = 2_000
T0_MS = 1_700_000_000_000


class LeaseWorkload:
    """Implements ``Workload``, and ``Registry`` for its services."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        judge = caller.judge
        self.lease_judge = LeaseJudge(judge, caller.now_s)
        self.lease_judge.replicas = len(caller.nodes)
        self._is_calm = asyncio.Event()
        self._random = Random(caller.random.getrandbits(64))
        self._wall_offsets_s: dict[str, float] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._canaries = 0
        self.scene = Scene(judge, self.lease_judge, caller.net, self._wall_ms)
        for number in range(SERVICES):
            service = SimService(
                draw_traits(number, self._random),
                self,
                random=Random(self._random.getrandbits(64)),
                now_s=caller.now_s,
                calm=self._is_calm,
                tell=judge.say,
                complain=judge.violated,
            )
            self.lease_judge.enter(service)
        structlog.configure(processors=[self._on_log_line])

    @property
    def services(self) -> list[SimService]:
        """All services, in one order."""
        return list(self.lease_judge.services.values())

    @property
    def kinds(self) -> Mapping[Ask, float]:
        """See Workload."""
        return {self._drain: 0.3, self._undrain: 0.5, self._look: 5.0}

    @property
    def rests(self) -> bool:
        """See Workload."""
        return False

    async def probe(self, node: SimNode) -> bool:
        """See Workload."""
        return await self._canary(node)

    async def live(self, *, ends_s: float) -> None:
        """Let the services live, and somebody play with the clocks."""
        for service in self.services:
            self._go_on(service.live())
            if service.traits.beats:
                self._go_on(service.beat())
        self._go_on(self._sing())
        while self.caller.now_s() < ends_s:
            node = self._random.choice(self.caller.nodes)
            step_s = self._random.uniform(-WALL_STEPS_S, WALL_STEPS_S)
            self._wall_offsets_s[node.node_id] = step_s
            await asyncio.sleep(self._random.uniform(1.0, 6.0))

    async def calm(self, nodes: list[SimNode]) -> None:
        """Compare the list with the truth, when it had the time to be it."""
        self._is_calm.set()
        self.caller.judge.say("the services are calm")
        await Calm(self, nodes, self._random).check()
        for task in self._background:
            task.cancel()

    def check_end(self, nodes: list[SimNode]) -> None:
        """All was judged when it happened; the catalogs must be sound."""
        for node in nodes:
            self._demand_sound(replica_of(node))

    # -- what services ask

    async def register(self, command: Register) -> bool:
        """See Registry."""
        return await self._write(self.caller.some_node(), command) is Code.OK

    async def deregister(self, service_id: ServiceId) -> bool:
        """See Registry."""
        command = Deregister(service_id=service_id, at_ms=0)
        return await self._write(self.caller.some_node(), command) is Code.OK

    async def heartbeat(self, service_id: ServiceId) -> bool | None:
        """See Registry; whoever is told that it is renewed is there."""

        async def ask(replica: DutyReplica, deadline_s: float) -> bool:
            code = await replica.heartbeat(service_id, deadline_s=deadline_s)
            if code is Code.UNKNOWN_SERVICE_ID:
                return False
            lease = replica.catalog.lease(service_id)
            # A goodbye may have overtaken it.
            is_known = self.lease_judge.knows(service_id)
            if is_known and (lease is None or lease.expired):
                self.caller.judge.violated(
                    f"the heartbeat of {service_id} was answered {code.name}, but its "
                    f"lease is {'gone' if lease is None else 'over'}"
                )
            return True

        taken = await self._ask(self.caller.some_node(), ask)
        self.caller.judge.counts[f"heartbeats:{taken}"] += 1
        return taken

    # -- what clients and operators ask

    async def _drain(self, node: SimNode) -> None:
        service = self._random.choice(self.services)
        limit_s = self._random.choice((0.0, 2.0, 5.0))
        keys = (service.traits.key,)
        await self._write(
            node, Drain(keys=keys, reason="repair", at_ms=0, limit_seconds=limit_s)
        )

    async def _undrain(self, node: SimNode) -> None:
        service = self._random.choice(self.services)
        command = Undrain(keys=(service.traits.key,), cause="undrained", at_ms=0)
        await self._write(node, command)

    async def _look(self, node: SimNode) -> None:
        """Every instance that is shown has a cause."""

        async def ask(replica: DutyReplica, deadline_s: float) -> None:
            await replica.barrier(deadline_s=deadline_s)
            self._demand_sound(replica)
            for name in replica.catalog.names():
                view = replica.catalog.service(name)
                for instance in () if view is None else view.instances:
                    if not instance.cause:
                        message = f"{name} is {instance.status} without a cause"
                        self.caller.judge.violated(message)

        await self._ask(node, ask)

    def _demand_sound(self, replica: DutyReplica) -> None:
        try:
            invariants.check(replica.machine.state)
        except invariants.InvariantError as error:
            self.caller.judge.violated(f"{replica.catalog.index}: {error}")

    async def _canary(self, node: SimNode) -> bool:
        """Write something that changes nothing: the log shows that it could be."""
        command = Renew(service_ids=(CANARY,), at_ms=0)
        return await self._write(node, command) is not None

    async def _sing(self) -> None:
        while True:
            await asyncio.sleep(CANARY_EACH_S)
            for node in self.caller.nodes:
                if node.serving and self._canaries < CANARIES_AT_ONCE:
                    self._go_on(self._sing_once(node))

    async def _sing_once(self, node: SimNode) -> None:
        self._canaries += 1
        try:
            await self._canary(node)
        finally:
            self._canaries -= 1

    # -- how they ask

    async def _write(self, node: SimNode, command: AnyCommand) -> Code | None:
        async def ask(replica: DutyReplica, deadline_s: float) -> Code:
            at_ms = self._wall_ms(node.node_id)
            sent = msgspec.structs.replace(command, at_ms=at_ms)
            proposed = await replica.proposals.propose(sent, deadline_s=deadline_s)
            return proposed.outcome.code

        return await self._ask(node, ask)

    async def _ask(
        self, node: SimNode, ask: Callable[[DutyReplica, float], Awaitable[T]]
    ) -> T | None:
        """Ask once; None if it was refused, not answered, or nobody knows."""
        if not node.serving:
            return None

        async def inside(replica: ReplicaPort) -> T | None:
            assert isinstance(replica, DutyReplica)
            try:
                return await ask(replica, node.now_s() + REQUEST_S)
            except (RegistryError, ClusterError) as error:
                self.caller.judge.counts[f"refused:{type(error).__name__}"] += 1
            except Exception as error:
                self.caller.judge.violated(f"{node.node_id} answers {error!r}")
            return None

        try:
            async with asyncio.timeout(GIVES_UP_S):
                return await node.call(inside)
        except (ClusterError, NodeDown, TimeoutError):
            return None

    # -- the rest of the world

    def _wall_ms(self, node_id: str) -> int:
        offset_s = self._wall_offsets_s.get(node_id, 0.0)
        return T0_MS + int((self.caller.now_s() + offset_s) * 1000)

    def _go_on(self, story: Coroutine[Any, Any, None]) -> None:
        """Let ``story`` go on beside all else; a mistake in it ends the run."""
        task = asyncio.get_running_loop().create_task(story)
        self._background.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.result()

    def _on_log_line(
        self, _: object, level: str, event: MutableMapping[str, Any]
    ) -> NoReturn:
        """A replica logs: an error is a violation, the rest is of no interest."""
        loop = asyncio.get_running_loop()
        is_dead = isinstance(loop, NodeLoop) and loop.dead
        if level in ("error", "exception", "critical") and not is_dead:
            why = traceback.format_exc()[-MOST_OF_A_TRACE:]
            self.caller.judge.violated(f"logged as {level}: {event} {why}")
        raise structlog.DropEvent
