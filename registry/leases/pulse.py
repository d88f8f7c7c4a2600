"""Feeds the lease clock on every replica: whether proofs of life can be taken now.

Able: caught up, the leader (or, on it, a majority) heard a moment ago, what is in
the log is applied (so synced and committed), and there is disk for more.
"""

import asyncio
from collections.abc import Callable

from registry.leases.clock import LeaseClock
from registry.ports import Clock, ClusterView

EACH_S = 0.05
HEARD_S = 0.35
"""Appends come every 50 ms, keep-alives of an idle leader too; three times an append
period and some weather."""
USUAL_SILENCE_S = 0.1
COMMITS_S = 0.25
DISK_LOW = "disk_low"
"""With little disk a replica refuses writes: a cluster of one, all of them."""


class Pulse:
    """The background task."""

    def __init__(
        self, lease_clock: LeaseClock, clock: Clock, view: Callable[[], ClusterView]
    ) -> None:
        self._lease_clock = lease_clock
        self._clock = clock
        self._view = view
        self._applied_index = -1
        self._moved_s = 0.0
        self._term: int | None = None
        self._commit_index = 0
        self._committed_s = 0.0
        """When the leader was last seen to commit: it had a majority then."""

    async def run(self) -> None:
        """Observe until cancelled."""
        while True:
            self.observe()
            await asyncio.sleep(EACH_S)

    def observe(self) -> None:
        """Look once."""
        now_s, view = self._clock.now_s(), self._view()
        # Not the commit index: the own copy may be counted before it is on disk.
        if view.applied_index != self._applied_index:
            self._applied_index = view.applied_index
            self._moved_s = now_s
        if view.applied_index >= view.last_index:
            self._moved_s = now_s
        stalled_s = now_s - self._moved_s
        silent_s = _silent_s(view)
        able = (
            view.caught_up
            and view.leader is not None
            and stalled_s < COMMITS_S
            and silent_s < HEARD_S
            and DISK_LOW not in view.degraded
        )
        if view.term != self._term:
            if self._term is not None:
                # The former leader may have led on without a majority, and been heard.
                able, silent_s = False, max(silent_s, now_s - self._committed_s)
            self._term, self._commit_index = view.term, view.commit_index
        elif view.commit_index > self._commit_index:
            self._commit_index, self._committed_s = view.commit_index, now_s
        unnoticed_s = max(stalled_s, silent_s - USUAL_SILENCE_S)
        self._lease_clock.observe(now_s, able=able, unnoticed_s=unnoticed_s)


def _silent_s(view: ClusterView) -> float:
    """Return for how long the leader, or on it a majority, was not heard."""
    if view.role != "leader":
        # Also without a leader: nothing was amiss before it fell silent.
        return float("inf") if view.contact_age_s is None else view.contact_age_s
    ages_s = [
        0.0
        if member.node_id == view.node_id
        else float("inf")
        if member.contact_age_s is None
        else member.contact_age_s
        for member in view.members
    ]
    return sorted(ages_s)[len(ages_s) // 2]
