"""The means of the nemesis: how a fault is done to nodes and links, and how it ends."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from random import Random

from cluster.status import Role
from tests.simulation.judge import Judge
from tests.simulation.profiles import Conditions
from tests.simulation.versions import NEW
from tests.support.sim_network import SimNetwork
from tests.support.sim_node import SimNode

STOP_WITHIN_S = 10.0
PLENTY_BYTES = 1 << 40
SURELY_SYNCED_S = 4.0
"""No disk stalls as long as that."""


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
        self._wiped: SimNode | None = None
        """Whose disk was wiped last, """
        self._wiped_index = 0
        """where the newest log ended then, """
        self._recovered: tuple[int, float] | None = None
        """and in which of its lives, and when, it was seen to hold that again."""
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

    def _may_wipe(self) -> bool:
        """Whether a disk may be destroyed: no other one's content is still missing.

        The replica that was wiped last must hold, synced, what anybody had by then.
        """
        now_s = self._net.sim.time()
        views = {node.node_id: node.status() for node in self._nodes if not node.paused}
        known = [view for view in views.values() if view is not None and view.caught_up]
        if len(known) < len(self._nodes):
            return False
        if self._wiped is None:
            return True
        view, life = views[self._wiped.node_id], self._wiped.lives
        if view is None or view.applied_index < self._wiped_index:
            return False
        if self._recovered is None or self._recovered[0] != life:
            self._recovered = (life, now_s)
        return now_s - self._recovered[1] >= SURELY_SYNCED_S

    def _wipe(self, node: SimNode, away_s: float) -> None:
        if not self._may_wipe():
            return
        views = [n.status() for n in self._nodes]
        self._wiped_index = max(view.last_index for view in views if view is not None)
        self._wiped, self._recovered = node, None
        node.wipe()
        self._judge.on_wiped(node.node_id)
        self._later(away_s, self._up, node)

    def _up(self, node: SimNode) -> None:
        node.crash_in = None
        if node.node_id not in self._stopping:
            node.start()

    def _end(
        self, node: SimNode | None, *, power: bool = False, away_s: float = 4.0
    ) -> bool:
        if node is None or not node.up:
            return False
        if power:
            node.power_cut()
        else:
            node.kill()
        self._later(self._random.uniform(0.05, away_s), self._up, node)
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
        self._later(self._random.uniform(*self._conditions.pause_s), node.resume)
        return True

    def _make_room(self, node: SimNode) -> None:
        node.files.free = PLENTY_BYTES
        self._up(node)

    def _restart(self, node: SimNode | None) -> bool:
        if node is None or not node.serving:
            return False
        return self._change(node, node.config.schema)

    def _change(self, node: SimNode, schema: int) -> bool:
        """Stop a replica, and start the version of ``schema``."""
        if node.node_id in self._stopping:
            return False
        self._stopping.add(node.node_id)
        stopping = self._stop_and_start(node, schema)
        task = asyncio.get_running_loop().create_task(stopping)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _stop_and_start(self, node: SimNode, schema: int) -> None:
        if not await node.stop(within_s=STOP_WITHIN_S):
            self._judge.counts["slow stops"] += 1
        await asyncio.sleep(self._random.uniform(0.05, 1.0))
        self._stopping.discard(node.node_id)
        node.kill("there is another version")
        if not self._active and self._conditions.upgrades:
            schema = NEW
        node.config = replace(node.config, schema=schema)
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
