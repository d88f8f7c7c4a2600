"""Clients of the simulated cluster: each calls a random replica, call after call.

What they ask: appends, reads through the log, reads behind a barrier, and reads of
what another client has seen ("at least index n"). What they are told goes to the
judge at once, and into the history for the linearizability checker.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from random import Random
from typing import TypeVar

import msgspec

from cluster.errors import ClusterError, Refused
from cluster.status import Applied
from tests.simulation.judge import Judge
from tests.simulation.list_machine import ListCommand, ListMachine
from tests.simulation.profiles import Conditions
from tests.simulation.watched_machine import WatchedMachine
from tests.support.history import History, Operation
from tests.support.sim_host import NodeDown, ReplicaPort
from tests.support.sim_loop import SimLoop
from tests.support.sim_node import SimNode

T = TypeVar("T")

KINDS = {"append": 6, "read": 1, "barrier": 2, "session": 1, "burst": 0.5, "boom": 0.1}
KEYS = 3
KEY_LIVES_S = 4.0
"""Keys change over time, so that no list grows too long for the checker."""
GIVES_UP_AFTER_S = 1.5
"""A client hangs up so long after its deadline (the node may be paused)."""


class Clients:
    """All clients of one run."""

    def __init__(
        self,
        sim: SimLoop,
        nodes: list[SimNode],
        conditions: Conditions,
        random: Random,
        judge: Judge,
    ) -> None:
        self.history = History()
        self._sim = sim
        self._nodes = nodes
        self._conditions = conditions
        self._random = random
        self._judge = judge
        self._values = count(1)
        self._unanswered: list[tuple[Operation, bytes]] = []
        self._kinds: dict[str, Callable[[SimNode], Awaitable[None]]] = {
            "append": self._append,
            "read": self._read,
            "barrier": self._barrier,
            "session": self._session,
            "burst": self._burst,
            "boom": self._boom,
        }

    async def run(self, *, ends_s: float) -> None:
        """Let all clients call until ``ends_s``, and wait for their last answers."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._conditions.clients):
                group.create_task(self._client(ends_s))

    async def append_through(self, node: SimNode) -> bool:
        """Append once through ``node``; whether it was acknowledged."""
        return await self._propose(node, "append", self._key())

    def settle_unanswered(self) -> None:
        """Look up in the log what became of the appends that nobody answered.

        Without that the checker would have to try each of them at each later time.
        """
        for operation, command in self._unanswered:
            position = self._judge.position_of(command)
            if operation.op == "append" and position is not None:
                outcome = self._judge.log[position].outcome or b""
                result = msgspec.msgpack.decode(outcome)
                self.history.add(replace(operation, result=result))
        self._unanswered.clear()

    async def _client(self, ends_s: float) -> None:
        names, weights = list(KINDS), list(KINDS.values())
        while True:
            await asyncio.sleep(
                self._random.expovariate(1 / self._conditions.client_gap_s)
            )
            if self._sim.time() >= ends_s:
                return
            kind = self._random.choices(names, weights)[0]
            await self._kinds[kind](self._some_node())

    def _some_node(self) -> SimNode:
        """Choose as clients behind a load balancer do: mostly one that serves."""
        serving = [node for node in self._nodes if node.serving]
        if serving and self._random.random() < 0.9:
            return self._random.choice(serving)
        return self._random.choice(self._nodes)

    # -- what clients ask

    async def _append(self, node: SimNode) -> None:
        await self._propose(node, "append", self._key())

    async def _read(self, node: SimNode) -> None:
        await self._propose(node, "read", self._key())

    async def _boom(self, node: SimNode) -> None:
        await self._propose(node, "boom", "")

    async def _burst(self, node: SimNode) -> None:
        """Many at once, large ones among them: several entries, long frames."""
        size = self._random.choice((5, 20, 80))
        async with asyncio.TaskGroup() as group:
            for number in range(size):
                key = f"{self._key()}-burst{number % 8}"
                padding = bytes(self._random.choice((0, 100, 1000)))
                group.create_task(self._propose(node, "append", key, padding))

    async def _barrier(self, node: SimNode) -> None:
        key, began_s, wait_s = self._key(), self._sim.time(), self._wait_s()

        async def ask(replica: ReplicaPort) -> tuple[int, ...]:
            index = await replica.barrier(deadline_s=node.now_s() + wait_s)
            self._judge.on_answer(replica.status(), index)
            return lists_of(node).read(key)

        seen = await self._answer(node, ask, wait_s)
        if isinstance(seen, tuple):
            self._judge.counts["barrier reads"] += 1
            self._judge.trace(b"barrier %d" % len(seen))
            self.history.add(
                Operation(key, "read", None, seen, began_s, self._sim.time())
            )

    async def _session(self, node: SimNode) -> None:
        wait_s, index = self._wait_s(), self._judge.highest_acknowledged

        async def ask(replica: ReplicaPort) -> bool:
            there = await replica.wait_applied(index, deadline_s=node.now_s() + wait_s)
            if there and replica.applied_index < index:
                self._judge.violated(f"{node.node_id} says that {index} is applied")
            return there

        if await self._answer(node, ask, wait_s) is True:
            self._judge.counts["session reads"] += 1

    # -- how

    async def _propose(
        self, node: SimNode, op: str, key: str, padding: bytes = b""
    ) -> bool:
        value, began_s, wait_s = next(self._values), self._sim.time(), self._wait_s()
        command = ListCommand(op, key, value, padding).encode()

        async def ask(replica: ReplicaPort) -> Applied:
            applied = await replica.propose(command, deadline_s=node.now_s() + wait_s)
            self._judge.on_answer(replica.status(), applied.index)
            return applied

        answer = await self._answer(node, ask, wait_s)
        result = returned_s = None
        if isinstance(answer, Applied):
            self._judge.on_acknowledged(node.node_id, command, answer)
            returned_s = self._sim.time()
            if op != "boom":
                decoded = msgspec.msgpack.decode(answer.outcome)
                result = tuple(decoded) if op == "read" else decoded
        elif isinstance(answer, Refused):
            self._judge.on_refused(command, type(answer).__name__)
            return False
        else:
            self._judge.counts[f"unknown:{type(answer).__name__}"] += 1
        operation = Operation(key, op, value, result, began_s, returned_s)
        if returned_s is None:
            self._unanswered.append((operation, command))
        elif op != "boom":
            self.history.add(operation)
        return returned_s is not None

    async def _answer(
        self, node: SimNode, ask: Callable[[ReplicaPort], Awaitable[T]], wait_s: float
    ) -> T | Exception:
        try:
            async with asyncio.timeout(wait_s + GIVES_UP_AFTER_S):
                return await node.call(ask)
        except (ClusterError, NodeDown, TimeoutError) as error:
            return error

    def _wait_s(self) -> float:
        return self._random.choice((0.3, 1.0, 3.0))

    def _key(self) -> str:
        epoch = int(self._sim.time() / KEY_LIVES_S)
        return f"k{self._random.randrange(KEYS)}-{epoch}"


def lists_of(node: SimNode) -> ListMachine:
    """Return the state machine of the node's present life."""
    watched = node.machine
    assert isinstance(watched, WatchedMachine)
    assert isinstance(watched.inner, ListMachine)
    return watched.inner
