"""What is checked once all is healed: nothing lost, nothing doubled, all alike."""

import asyncio

from cluster.status import Role, Status
from tests.simulation.clients import Clients, lists_of
from tests.simulation.judge import Judge, place, shown
from tests.simulation.list_machine import ListCommand, list_step
from tests.support.sim_node import SimNode
from tests.support.wgl import check

POLL_S = 0.05


async def converge(
    nodes: list[SimNode], clients: Clients, judge: Judge, *, within_s: float
) -> None:
    """Wait until all replicas agree and each takes a write, or call it a violation."""
    try:
        async with asyncio.timeout(within_s):
            for node in nodes:
                while not await clients.append_through(node):
                    await asyncio.sleep(POLL_S)
            while not _agree([node.status() for node in nodes]):
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        for node in nodes:
            judge.say(f"{node.node_id}: {describe(node.status())}")
        judge.violated(f"the cluster is not one again within {within_s:.0f} s")


def check_end(nodes: list[SimNode], clients: Clients, judge: Judge) -> None:
    """Compare all replicas, all acknowledged writes and the whole history."""
    states = [lists_of(node).state() for node in nodes]
    if any(state != states[0] for state in states):
        judge.violated("the final states differ")
    kept = {value for _, values in states[0] for value in values}
    count = sum(len(values) for _, values in states[0])
    if count != len(kept):
        judge.violated("a value is in the final state twice")
    for write in judge.acknowledged:
        asked = ListCommand.decode(write.command)
        if asked.op == "append" and asked.value not in kept:
            judge.violated(
                f"LOST: value {asked.value} of {asked.key}, acknowledged by "
                f"{write.node_id} at {write.at_s:.3f} s as {place(write.position)}"
            )
    for command in judge.refused:
        position = judge.position_of(command)
        if position is not None:
            judge.violated(
                f"refused, but in the log at {place(position)}: {shown(command)}"
            )
    clients.settle_unanswered()
    for finding in check(clients.history, list_step, initial=()):
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


def _agree(views: list[Status | None]) -> bool:
    known = [view for view in views if view is not None and view.caught_up]
    return (
        len(known) == len(views)
        and sum(view.role is Role.LEADER for view in known) == 1
        and len({(v.term, v.leader, v.applied_index, v.last_index) for v in known}) == 1
        and all(view.applied_index == view.last_index for view in known)
    )
