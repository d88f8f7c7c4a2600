"""Upgrades, replica by replica, with as much time and trouble between as there may be.

Every replica begins in the old version; ``heal`` brings those that are still old to
the new one. What the cluster must do meanwhile is the judge's (``on_schema``).
"""

import asyncio
from dataclasses import replace

from tests.simulation.clients import Workload
from tests.simulation.judge import Judge
from tests.simulation.means import Means
from tests.simulation.versions import NEW, OLD
from tests.support.sim_node import SimNode

POLL_S = 0.05


class Upgrades(Means):
    """Changes of versions: those that are planned, and faults of a kind."""

    def plan_upgrades(self, *, ends_s: float) -> None:
        """Choose when each replica is upgraded; some stay old until all is healed."""
        left_s = ends_s - self._net.sim.time()
        for node in self._nodes:
            delay_s = self._random.uniform(0.1, 1.1) * left_s
            self._later(delay_s, self._change, node, NEW)

    def upgrade(self) -> bool:
        """Restart one of the old ones in the new version."""
        old = [node for node in self._nodes if node.config.schema < NEW]
        return bool(old) and self._change(self._random.choice(old), NEW)

    def upgrade_by_crash(self) -> bool:
        """The same, where the old process does not end well."""
        old = [node for node in self._nodes if node.config.schema < NEW]
        if not old:
            return False
        node = self._random.choice(old)
        if node.node_id not in self._stopping and node.up:
            node.kill()
        return self._change(node, NEW)

    def old_version(self) -> bool:
        """Start one in the version that all have left behind, and mend that later."""
        if self._judge.newest_schema < NEW:
            return False
        node = self._some()
        if not self._change(node, OLD):
            return False
        self._later(self._random.uniform(2.0, 6.0), self._change, node, NEW)
        return True


async def old_version_returns(
    node: SimNode,
    others: list[SimNode],
    workload: Workload,
    judge: Judge,
    *,
    within_s: float,
) -> None:
    """Start ``node`` in the version that all have left: it must be refused by name.

    The others go on, and it loses nothing: in the new version it is one of them again.
    """
    _run_version(node, OLD)
    try:
        async with asyncio.timeout(within_s):
            while not _is_refused(node):
                await asyncio.sleep(POLL_S)
            for other in others:
                while not await workload.probe(other):
                    await asyncio.sleep(POLL_S)
    except TimeoutError:
        judge.violated(f"{node.node_id}, of an old version, is not refused by name")
    status = node.status()
    if status is not None and status.caught_up:
        judge.violated(f"{node.node_id}, of an old version, says it is caught up")
    judge.counts["old versions refused"] += 1
    _run_version(node, NEW)


def _run_version(node: SimNode, schema: int) -> None:
    node.kill(f"the version of schema {schema} is installed")
    node.config = replace(node.config, schema=schema)
    node.start()


def _is_refused(node: SimNode) -> bool:
    """It ended (the judge knows whether by the right words), or nobody lets it in."""
    status = node.status()
    return not node.up or (status is not None and "older_version" in status.degraded)
