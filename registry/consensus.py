"""The cluster as the use cases see it: the replica behind `ports.Consensus`.

Translates errors (each keeps what is true after it) and the status. The view is asked
for on every request, so it is remembered for a moment.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from cluster import errors as cluster_errors
from cluster.replica import Replica
from cluster.status import Role, Status
from registry import errors
from registry.ports import ClusterView, Committed, MemberView

VIEW_FRESH_S = 0.01

_ERRORS: dict[type[cluster_errors.ClusterError], type[errors.RegistryError]] = {
    cluster_errors.NoLeader: errors.NoLeader,
    cluster_errors.Overloaded: errors.Overloaded,
    cluster_errors.DiskLow: errors.DiskLow,
    cluster_errors.SchemaNotAgreed: errors.UpgradePending,
    cluster_errors.Stopping: errors.Stopping,
    cluster_errors.TooLarge: errors.BodyTooLarge,
    cluster_errors.OutcomeUnknown: errors.OutcomeUnknown,
}


class ReplicaConsensus:
    """Implements ``Consensus`` over one replica, on its event loop."""

    def __init__(
        self,
        replica: Replica,
        loop: asyncio.AbstractEventLoop,
        troubles: Callable[[], Mapping[str, str]],
    ) -> None:
        self._replica = replica
        self._loop = loop
        self._troubles = troubles
        self._view: ClusterView | None = None
        self._view_until_s = 0.0

    async def propose(
        self, command: bytes, *, deadline_s: float, schema: int = 1
    ) -> Committed:
        """Replicate one command; see ``Consensus``."""
        try:
            applied = await self._replica.propose(
                command, deadline_s=deadline_s, schema=schema
            )
        except cluster_errors.ClusterError as error:
            raise _translated(error) from error
        self._look_again_if_behind()
        return Committed(applied.position, applied.outcome)

    async def barrier(self, *, deadline_s: float) -> int:
        """Wait for every acknowledged write; see ``Consensus``."""
        try:
            index = await self._replica.barrier(deadline_s=deadline_s)
        except cluster_errors.ClusterError as error:
            raise _translated(error) from error
        self._look_again_if_behind()
        return index

    def _look_again_if_behind(self) -> None:
        # Whoever applied its own write has caught up, whatever was seen before.
        if self._view is not None and not self._view.caught_up:
            self._view = None

    async def wait_applied(self, index: int, *, deadline_s: float) -> bool:
        """Wait for an index; see ``Consensus``."""
        return await self._replica.wait_applied(index, deadline_s=deadline_s)

    def view(self) -> ClusterView:
        """Return the cluster as seen at most VIEW_FRESH_S ago."""
        now_s = self._loop.time()
        view = self._view
        if view is None or now_s >= self._view_until_s:
            view = view_of(self._replica.status())
            if view.waiting_for and (troubles := self._troubles()):
                told = "; ".join(f"{p} ({t})" for p, t in sorted(troubles.items()))
                view = replace(view, waiting_for=f"{view.waiting_for}: {told}")
            self._view = view
            self._view_until_s = now_s + VIEW_FRESH_S
        return view

    def forget_view(self) -> None:
        """Look anew at the next call: something was changed on purpose."""
        self._view = None


def _translated(error: cluster_errors.ClusterError) -> errors.RegistryError:
    return _ERRORS[type(error)](str(error))


def view_of(status: Status) -> ClusterView:
    """Return a replica's status in the words of the use cases."""
    return ClusterView(
        node_id=status.node_id,
        cluster_id=status.cluster_id,
        epoch=status.epoch,
        role="leader" if status.role is Role.LEADER else "follower",
        term=status.term,
        leader=status.leader,
        applied_index=status.applied_index,
        commit_index=status.commit_index,
        last_index=status.last_index,
        caught_up=status.caught_up,
        contact_age_s=status.contact_age_s,
        stopping=status.stopping,
        waiting_for=status.waiting_for,
        degraded=status.degraded,
        members=tuple(
            MemberView(
                node_id=member.node_id,
                advertise=member.advertise,
                connected=member.connected,
                applied_index=member.applied_index,
                contact_age_s=member.contact_age_s,
            )
            for member in status.members
        ),
        recovered=status.recovered,
    )
