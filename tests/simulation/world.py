"""One seed's run from the first breath to the verdict.

found - clients and nemesis - heal - converge - check
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cluster.config import ClusterConfig
from tests.simulation.clients import Caller, MakeMachine, MakeWorkload
from tests.simulation.judge import Judge
from tests.simulation.nemesis import Nemesis
from tests.simulation.profiles import Conditions
from tests.simulation.timeline import Timeline
from tests.simulation.upgrades import old_version_returns
from tests.simulation.verdict import check_end, converge
from tests.simulation.versions import NEW, OLD
from tests.simulation.watched_machine import WatchedMachine
from tests.support.sim_files import SimFiles
from tests.support.sim_host import Host, MakeReplica
from tests.support.sim_loop import SimLoop, SimStuck
from tests.support.sim_network import SimNetwork
from tests.support.sim_node import SimNode

OBSERVE_EVERY_S = 0.005
TIMELINE_LINES = 120


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found, small enough to travel between processes."""

    seed: int
    profile: str
    nodes: int
    violation: str | None
    digest: str
    counts: dict[str, int]
    simulated_s: float
    took_s: float
    """Of processor time."""
    timeline: list[str] = field(default_factory=list)


class World:
    """One simulated cluster with its clients, its nemesis and its judge."""

    def __init__(
        self,
        seed: int,
        conditions: Conditions,
        make_replica: MakeReplica,
        make_machine: MakeMachine,
        make_workload: MakeWorkload,
        *,
        schema: int = OLD,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        """``schema`` is that of all replicas, but where there are upgrades."""
        self.seed = seed
        self.conditions = conditions
        self.schema = schema
        self.sim = SimLoop()
        self.judge = Judge(Timeline(self.sim.time, echo), self.sim.stop)
        self.net = SimNetwork(self.sim, self._random("net"), conditions.weather)
        self.net.on_arrival = self._on_arrival
        self.net.on_dishonest = self._on_dishonest
        host = Host(
            sim=self.sim,
            net=self.net,
            watcher=self.judge,
            make_replica=make_replica,
            disk_latency_s=self._disk_latency(),
            time_call_costs_s=conditions.time_call_costs_s,
        )
        self._make_machine = make_machine
        ids = tuple("abcde"[: conditions.nodes])
        self.nodes = [self._node(host, name, ids) for name in ids]
        self.caller = Caller(
            self.sim,
            self.nodes,
            conditions,
            self._random("clients"),
            self.judge,
            self.net,
        )
        self.workload = make_workload(self.caller)
        self.nemesis = Nemesis(
            conditions, self.nodes, self.net, self._random("nemesis"), self.judge
        )
        self._observed_s: dict[str, float] = {}
        self._mistake: BaseException | None = None
        self._is_over = False
        self.sim.set_exception_handler(self._on_mistake)

    def run(self) -> Result:
        """Run to the verdict, or to the first violation."""
        began_s = time.process_time()
        story = self.sim.create_task(self._story())
        story.add_done_callback(self._stop)
        try:
            self.sim.run_forever()
        except SimStuck as error:
            self.judge.violated(str(error))
        if self._mistake is not None:
            raise self._mistake
        self._is_over = True
        if story.done():
            story.result()
        result = self._result(time.process_time() - began_s)
        self._close()
        return result

    async def _story(self) -> None:
        conditions = self.conditions
        random = self._random("start")
        for node in self.nodes:
            self.sim.call_later(random.uniform(0.0, 0.5), node.start)
        ends_s = conditions.seconds
        if not conditions.faults_from_the_start:
            await asyncio.sleep(0.5)
            await self._converge(self.schema)
            ends_s += self.sim.time()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.caller.run(self.workload, ends_s=ends_s))
            group.create_task(self.nemesis.run(ends_s=ends_s))
            group.create_task(self.workload.live(ends_s=ends_s))
        self.nemesis.heal()
        await self._converge(NEW if conditions.upgrades else self.schema)
        if conditions.upgrades:
            node = random.choice(self.nodes)
            others = [other for other in self.nodes if other is not node]
            await old_version_returns(
                node,
                others,
                self.workload,
                self.judge,
                within_s=conditions.settle_s,
            )
            await self._converge(NEW)
        await self.workload.calm(self.nodes)
        if not self.workload.rests:
            await self._converge(self.schema, at_rest=True)
        if self.judge.violation is None:
            check_end(self.nodes, self.workload, self.judge)

    async def _converge(self, schema: int, *, at_rest: bool | None = None) -> None:
        await converge(
            self.nodes,
            self.workload,
            self.judge,
            within_s=self.conditions.settle_s,
            schema=schema,
            at_rest=self.workload.rests if at_rest is None else at_rest,
        )

    def _stop(self, _: object) -> None:
        if not self._is_over:  # a violation at the very end has stopped it before
            self.sim.stop()

    # -- parts

    def _random(self, purpose: str) -> Random:
        """Streams of their own: a change in one leaves the others as they were."""
        return Random(f"{self.seed}/{purpose}")

    def _node(self, host: Host, name: str, ids: tuple[str, ...]) -> SimNode:
        config = ClusterConfig(
            node_id=name,
            members=ids,
            advertise=f"http://{name}",
            timing=self.conditions.timing,
            schema=self.schema,
            limits=self.conditions.limits,
        )
        node = SimNode(
            host,
            config,
            SimFiles(),
            self._random(name),
            self._machine,
        )
        node.after_turn = self._observe
        return node

    def _machine(self, node: SimNode) -> WatchedMachine:
        schema = node.config.schema
        return WatchedMachine(self._make_machine(), node.node_id, self.judge, schema)

    def _disk_latency(self) -> Callable[[], float]:
        random, (least_s, most_s) = self._random("disk"), self.conditions.disk_s

        def latency_s() -> float:
            slow = 10.0 if random.random() < 0.01 else 1.0
            return random.uniform(least_s, most_s) * slow

        return latency_s

    # -- observing

    def _observe(self, node: SimNode) -> None:
        now_s = self.sim.time()
        if now_s < self._observed_s.get(node.node_id, 0.0):
            return
        self._observed_s[node.node_id] = now_s + OBSERVE_EVERY_S
        status = node.status()
        if status is not None:
            self.judge.on_status(node.lives, status)
        if status is not None and node.replica is not None:
            self.judge.on_schema(
                node.node_id,
                status.applied_index,
                node.replica.schema,
                oldest_version=min(other.config.schema for other in self.nodes),
            )

    def _on_arrival(self, source: str, target: str, frame: bytes) -> None:
        self.judge.trace(source.encode() + target.encode() + frame)

    def _on_dishonest(self, source: str, target: str, reason: str) -> None:
        self.judge.violated(f"{target} calls a frame of {source} dishonest: {reason}")

    def _on_mistake(
        self, _: asyncio.AbstractEventLoop, context: dict[str, Any]
    ) -> None:
        """The simulation itself failed in a callback: no verdict, but an error."""
        if "handle" in context:
            self._mistake = context["exception"]
            self.sim.stop()

    # -- the end

    def _result(self, took_s: float) -> Result:
        judge = self.judge
        lines = judge.timeline.last(TIMELINE_LINES) if judge.violation else []
        return Result(
            seed=self.seed,
            profile=self.conditions.profile,
            nodes=self.conditions.nodes,
            violation=judge.violation,
            digest=judge.digest(),
            counts={**judge.counts, "frames": self.net.frames},
            simulated_s=self.sim.time(),
            took_s=took_s,
            timeline=lines,
        )

    def _close(self) -> None:
        """Bury all nodes and tasks, so that nothing of this run is seen in the next."""
        for node in self.nodes:
            node.kill("the run is over")
        tasks = asyncio.all_tasks(self.sim)
        for task in tasks:
            task.cancel()
        self.sim.run_until_complete(_ended(tasks))
        self.sim.close()


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
