"""What is checked once all is healed: one cluster again, all alike, a valid history."""

import asyncio
from collections.abc import Hashable

from cluster.status import Role, Status
from tests.simulation.clients import Workload
from tests.simulation.judge import Judge, place, shown
from tests.simulation.versions import OLD
from tests.simulation.watched_machine import WatchedMachine
from tests.support.history import History
from tests.support.sim_node import SimNode
from tests.support.wgl import Step, check

POLL_S = 0.05


async def converge(
    nodes: list[SimNode],
    workload: Workload,
    judge: Judge,
    *,
    within_s: float,
    schema: int = OLD,
    at_rest: bool = True,
) -> None:
    """Wait until all replicas agree and each takes a write, or call it a violation.

    They also agree on ``schema`` at least, as soon as all replicas understand it. If
    they are not ``at_rest``, writes go on and each may be at another one of them.
    """
    try:
        async with asyncio.timeout(within_s):
            for node in nodes:
                while not await workload.probe(node):
                    await asyncio.sleep(POLL_S)
            while not (
                _agree([n.status() for n in nodes], at_rest=at_rest)
                and _know(nodes, schema)
            ):
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        for node in nodes:
            judge.say(f"{node.node_id}: {describe(node.status())}")
        judge.violated(f"the cluster is not one again within {within_s:.0f} s")


def check_end(nodes: list[SimNode], workload: Workload, judge: Judge) -> None:
    """Compare all replicas, and everything that clients were told."""
    machines = [m for m in (n.machine for n in nodes) if isinstance(m, WatchedMachine)]
    contents = [machine.inner.content() for machine in machines]
    if any(content != contents[0] for content in contents):
        judge.violated("the final states differ")
    for command in judge.refused:
        position = judge.position_of(command)
        if position is not None:
            judge.violated(
                f"refused, but in the log at {place(position)}: {shown(command)}"
            )
    workload.check_end(nodes)


def check_history(
    history: History, step: Step, judge: Judge, *, initial: Hashable
) -> None:
    """Demand that each key's history is linearizable."""
    for finding in check(history, step, initial=initial):
        if finding.gave_up:
            judge.counts["unchecked keys"] += 1
        else:
            judge.violated(f"not linearizable: {finding.key}: {finding.stuck}")


def describe(status: Status | None) -> str:
    """Render one replica's view for the timeline."""
    if status is None:
        return "does not serve"
    return (
        f"{status.role} of term {status.term}, leader {status.leader}, applied "
        f"{status.applied_index}, committed {status.commit_index}, log to "
        f"{status.last_index}, caught up: {status.caught_up} {status.waiting_for} "
        f"{' '.join(status.degraded)}"
    )


def _know(nodes: list[SimNode], schema: int) -> bool:
    replicas = [node.replica for node in nodes]
    return all(r is not None and r.schema >= schema for r in replicas)


def _agree(views: list[Status | None], *, at_rest: bool) -> bool:
    known = [view for view in views if view is not None and view.caught_up]
    return (
        len(known) == len(views)
        and [view.role for view in known].count(Role.LEADER) == 1
        and len({(view.term, view.leader) for view in known}) == 1
        and not (at_rest and len({view.applied_index for view in known}) > 1)
        and not (at_rest and any(v.applied_index != v.last_index for v in known))
    )
