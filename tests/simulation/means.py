"""The means of the nemesis: how a fault is done to nodes and links, and how it ends."""

import asyncio
from collections.abc import Callable
from itertools import permutations
from random import Random

from cluster.status import Role
from tests.simulation.judge import Judge
from tests.simulation.profiles import Conditions
from tests.support.sim_network import SimNetwork
from tests.support.sim_node import SimNode

STOP_WITHIN_S = 10.0
PLENTY_BYTES = 1 << 40


class Means:
    """What all faults are made of. Once not ``_active``, no fault ends by itself."""

    def __init__(
        self,
        conditions: Conditions,
        nodes: list[SimNode],
        net: SimNetwork,
        random: Random,
        judge: Judge,
    ) -> None:
        self._conditions = conditions
        self._nodes = nodes
        self._net = net
        self._random = random
        self._judge = judge
        self._active = True
        self._stopping: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def _later(
        self, delay_s: float, action: Callable[..., object], *args: object
    ) -> None:
        self._net.sim.call_later(delay_s, self._if_active, action, args)

    def _if_active(
        self, action: Callable[..., object], args: tuple[object, ...]
    ) -> None:
        if self._active:
            action(*args)

    def _some(self) -> SimNode:
        return self._random.choice(self._nodes)

    def _leader(self) -> SimNode | None:
        for node in self._nodes:
            status = node.status()
            if status is not None and status.role is Role.LEADER:
                return node
        return None

    def _all_well(self) -> bool:
        """Whether every replica holds everything that was acknowledged."""
        for node in self._nodes:
            status = node.status()
            if (
                status is None
                or node.paused
                or not status.caught_up
                or status.applied_index < self._judge.highest_acknowledged
            ):
                return False
        return True

    def _up(self, node: SimNode) -> None:
        node.crash_in = None
        if node.node_id not in self._stopping:
            node.start()

    def _end(self, node: SimNode | None, *, power: bool = False) -> bool:
        if node is None or not node.up:
            return False
        if power:
            node.power_cut()
        else:
            node.kill()
        self._later(self._random.uniform(0.05, 4.0), self._up, node)
        return True

    def _crash(self, *, power: bool) -> bool:
        node = self._some()
        if not node.up:
            return False
        node.power_fails_then = power
        node.crash_in = self._random.choice((0, 1, 2, 3, 5, 8, 13, 30))
        self._later(self._random.uniform(1.0, 5.0), self._up, node)
        return True

    def _pause(self, node: SimNode | None) -> bool:
        if node is None or not node.up or node.paused:
            return False
        node.pause()
        self._later(self._random.uniform(0.1, 4.0), node.resume)
        return True

    def _make_room(self, node: SimNode) -> None:
        node.files.free = PLENTY_BYTES
        self._up(node)

    def _restart(self, node: SimNode | None) -> bool:
        if node is None or not node.serving or node.node_id in self._stopping:
            return False
        self._stopping.add(node.node_id)
        task = asyncio.get_running_loop().create_task(self._stop_and_start(node))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _stop_and_start(self, node: SimNode) -> None:
        if not await node.stop(within_s=STOP_WITHIN_S):
            self._judge.counts["slow stops"] += 1
        await asyncio.sleep(self._random.uniform(0.05, 1.0))
        self._stopping.discard(node.node_id)
        node.start()

    def _partition(self, group: set[str]) -> bool:
        ids = [node.node_id for node in self._nodes]
        self._cut(
            [p for p in permutations(ids, 2) if (p[0] in group) != (p[1] in group)]
        )
        return True

    def _cut(self, pairs: list[tuple[str, str]]) -> None:
        self._judge.say("cut " + ", ".join(f"{a}->{b}" for a, b in pairs))
        for pair in pairs:
            self._net.cut(*pair)
            if (
                self._random.random() < 0.5
            ):  # the kernel gives up on unacknowledged data
                self._later(self._random.uniform(1.0, 5.0), self._give_up, pair)
        self._later(self._random.uniform(0.3, 6.0), self._mend, pairs)

    def _give_up(self, pair: tuple[str, str]) -> None:
        if self._net.is_cut(*pair):
            self._net.reset(*pair)

    def _mend(self, pairs: list[tuple[str, str]]) -> None:
        self._judge.say("mended " + ", ".join(f"{a}->{b}" for a, b in pairs))
        for pair in pairs:
            self._net.heal(*pair)
