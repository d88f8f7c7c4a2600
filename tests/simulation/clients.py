"""Clients of the simulated cluster: each calls a random replica, call after call.

This is what all workloads share: how a call is made, given up and judged. What the
clients ask, and what must be true of the state at the end, is the workload's
(``list_clients``, ``catalog_clients``).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

from cluster.errors import ClusterError, Refused
from cluster.status import Applied
from tests.simulation.judge import Judge
from tests.simulation.profiles import Conditions
from tests.simulation.versions import NEW, marked
from tests.simulation.watched_machine import Comparable
from tests.support.sim_host import NodeDown, ReplicaPort
from tests.support.sim_loop import SimLoop
from tests.support.sim_network import SimNetwork
from tests.support.sim_node import SimNode

T = TypeVar("T")

Ask = Callable[[SimNode], Awaitable[object]]

GIVES_UP_AFTER_S = 1.5
"""A client hangs up so long after its deadline (the node may be paused)."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One proposal's fate; ``applied`` is None when nobody knows."""

    command: bytes
    applied: Applied | None
    began_s: float
    returned_s: float | None


class Workload(Protocol):
    """What clients ask of a state machine, and what must hold at the end."""

    @property
    def kinds(self) -> Mapping[Ask, float]:
        """Every kind of call, with its weight."""

    @property
    def rests(self) -> bool:
        """Whether nothing is written when no client calls; else once it was calm."""

    async def probe(self, node: SimNode) -> bool:
        """Write once through ``node``; whether it was acknowledged."""

    async def live(self, *, ends_s: float) -> None:
        """Let go on what goes on beside the calls of the clients."""

    async def calm(self, nodes: list[SimNode]) -> None:
        """Once all is healed: check what can be judged in calm weather alone."""

    def check_end(self, nodes: list[SimNode]) -> None:
        """Compare final states with what clients were told; tell the judge."""


MakeMachine = Callable[[], Comparable]
MakeWorkload = Callable[["Caller"], Workload]


class Caller:
    """How clients call, whatever they ask."""

    def __init__(
        self,
        sim: SimLoop,
        nodes: list[SimNode],
        conditions: Conditions,
        random: Random,
        judge: Judge,
        net: SimNetwork,
    ) -> None:
        self.random = random
        self.judge = judge
        self.net = net
        self.nodes = nodes
        self._sim = sim
        self.conditions = conditions

    def now_s(self) -> float:
        """Return the time by which the history is written."""
        return self._sim.time()

    async def run(self, workload: Workload, *, ends_s: float) -> None:
        """Let all clients call until ``ends_s``, and wait for their last answers."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.conditions.clients):
                group.create_task(self._client(workload, ends_s))

    async def _client(self, workload: Workload, ends_s: float) -> None:
        kinds = [*workload.kinds, self._session]
        weights = [*workload.kinds.values(), 1.0]
        gap_s = self.conditions.client_gap_s
        while True:
            await asyncio.sleep(self.random.expovariate(1 / gap_s))
            if self._sim.time() >= ends_s:
                return
            await self.random.choices(kinds, weights)[0](self.some_node())

    def some_node(self) -> SimNode:
        """Choose as clients behind a load balancer do: mostly one that serves."""
        serving = [node for node in self.nodes if node.serving]
        if serving and self.random.random() < 0.9:
            return self.random.choice(serving)
        return self.random.choice(self.nodes)

    # -- calls

    async def propose(self, node: SimNode, command: bytes) -> Answered | None:
        """Propose; None if the command is certainly not in the log."""
        if not node.serving:  # the connection is refused: nothing was asked
            self.judge.counts["not there"] += 1
            return None
        began_s, wait_s = self._sim.time(), self._wait_s()

        async def ask(replica: ReplicaPort) -> Applied:
            sent = self._as_new(command) if replica.schema >= NEW else command
            applied = await replica.propose(sent, deadline_s=node.now_s() + wait_s)
            self.judge.on_written(replica.status(), applied.index)
            return applied

        answer = await self._answer(node, ask, wait_s)
        if isinstance(answer, Applied):
            self.judge.on_acknowledged(node.node_id, command, answer)
            return Answered(command, answer, began_s, self._sim.time())
        if isinstance(answer, Refused):
            self.judge.on_refused(command, type(answer).__name__)
            return None
        self.judge.counts[f"unknown:{type(answer).__name__}"] += 1
        return Answered(command, None, began_s, None)

    def _as_new(self, command: bytes) -> bytes:
        """Every other command is one that only the new version understands."""
        if self.random.random() < 0.5:
            return command
        self.judge.counts["commands of the new version"] += 1
        return marked(command)

    async def read(
        self, node: SimNode, look: Callable[[], T]
    ) -> tuple[T, float, float] | None:
        """Read behind a barrier: what ``look`` saw, the times of call and answer."""
        began_s, wait_s = self._sim.time(), self._wait_s()

        async def ask(replica: ReplicaPort) -> tuple[T]:
            index = await replica.barrier(deadline_s=node.now_s() + wait_s)
            self.judge.on_read(replica.status(), index)
            return (look(),)

        seen = await self._answer(node, ask, wait_s)
        if isinstance(seen, Exception):
            return None
        self.judge.counts["barrier reads"] += 1
        self.judge.trace(f"barrier {seen}".encode())
        return seen[0], began_s, self._sim.time()

    async def _session(self, node: SimNode) -> None:
        """Ask for at least what any client has seen (I7)."""
        wait_s, index = self._wait_s(), self.judge.highest_acknowledged

        async def ask(replica: ReplicaPort) -> bool:
            there = await replica.wait_applied(index, deadline_s=node.now_s() + wait_s)
            if there and replica.applied_index < index:
                self.judge.violated(f"{node.node_id} says that {index} is applied")
            return there

        if await self._answer(node, ask, wait_s) is True:
            self.judge.counts["session reads"] += 1

    async def _answer(
        self, node: SimNode, ask: Callable[[ReplicaPort], Awaitable[T]], wait_s: float
    ) -> T | Exception:
        try:
            async with asyncio.timeout(wait_s + GIVES_UP_AFTER_S):
                return await node.call(ask)
        except (ClusterError, NodeDown, TimeoutError) as error:
            return error

    def _wait_s(self) -> float:
        return self.random.choice((0.3, 1.0, 3.0))
