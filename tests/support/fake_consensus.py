"""A consensus of one process over the real catalog, with troubles to switch on.

What the use cases can meet in a cluster, without a cluster: nobody leads, an outcome is
unknown, the replica has not caught up, its leader is silent, proposals hang. Waiting is
real (asyncio), against deadlines in the clock's time: unit tests pass a deadline of
now, so nothing waits.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from registry.catalog.machine import CatalogMachine
from registry.errors import NoLeader, OutcomeUnknown, RegistryError, Stopping
from registry.ports import Clock, ClusterView, Committed, MemberView

LEADING = ClusterView(
    node_id="a",
    cluster_id="cafe",
    epoch=1,
    role="leader",
    term=3,
    leader="a",
    applied_index=0,
    commit_index=0,
    last_index=0,
    caught_up=True,
    contact_age_s=0.0,
    stopping=False,
    waiting_for="",
    degraded=(),
    members=(
        MemberView("a", "http://a:8100", True, 0, 0.0),
        MemberView("b", "http://b:8100", True, 0, 0.2),
        MemberView("c", "", False, None, None),
    ),
)


class FakeConsensus:
    """Applies each proposal at once, unless told otherwise by one of the switches."""

    def __init__(self, machine: CatalogMachine, clock: Clock) -> None:
        self._machine = machine
        self._clock = clock
        self._index = 0
        self._view = LEADING
        self._changed = asyncio.Condition()
        self._open = asyncio.Event()
        self._open.set()
        self.has_leader = True
        self.loses_answers = False
        """Commands take effect, but their outcome is not learnt by the deadline."""
        self.refuses: Callable[[], RegistryError] | None = None
        self.breaks: Exception | None = None
        """A defect: what no caller can foresee."""
        self.proposed: list[bytes] = []
        self.barriers = 0

    @property
    def index(self) -> int:
        """The last index applied."""
        return self._index

    def skip(self) -> int:
        """Take the next index, for a command that another replica has proposed."""
        self._index += 1
        return self._index

    def hold(self) -> None:
        """Let proposals hang until ``release``."""
        self._open.clear()

    def release(self) -> None:
        """Let the proposals that hang go on."""
        self._open.set()

    def not_caught_up(self, waiting_for: str = "b to lead") -> None:
        """Become a replica that has just started, and knows of no leader."""
        self.has_leader = False
        self._view = replace(
            self._view,
            caught_up=False,
            leader=None,
            role="follower",
            contact_age_s=None,
            waiting_for=waiting_for,
        )

    def not_recovered(self) -> None:
        """Become a replica that still reads its disk."""
        self.not_caught_up("its data directory to be read")
        self._view = replace(self._view, recovered=False)

    def silent_leader(self, age_s: float) -> None:
        """Become a follower whose leader was last heard ``age_s`` ago."""
        self.has_leader = False
        self._view = replace(self._view, role="follower", contact_age_s=age_s)

    def stop(self) -> None:
        """Begin to shut down."""
        self.refuses = Stopping
        self._view = replace(self._view, stopping=True)

    def refound(self, cluster_id: str) -> None:
        """Become a replica of another cluster, at the same index."""
        self._view = replace(self._view, cluster_id=cluster_id)

    def degrade(self, *codes: str) -> None:
        """Report trouble of the cluster's own."""
        self._view = replace(self._view, degraded=codes)

    async def advance_index(self, count: int = 1) -> None:
        """Apply entries that hold no command, as other replicas' work would."""
        self._index += count
        self._machine.applied(self._index)
        async with self._changed:
            self._changed.notify_all()

    async def propose(
        self, command: bytes, *, deadline_s: float, schema: int = 1
    ) -> Committed:
        """Apply the command, or fail as switched."""
        self.proposed.append(command)
        await self._open.wait()
        if self.breaks is not None:
            raise self.breaks
        await self._wait_for_leader(deadline_s)
        self._index += 1
        position = self._index << 8
        outcome = self._machine.apply(position, command)
        await self.advance_index(0)
        if self.loses_answers:
            raise OutcomeUnknown("lost")
        return Committed(position, outcome)

    async def barrier(self, *, deadline_s: float) -> int:
        """Return the index, or fail as switched."""
        self.barriers += 1
        await self._wait_for_leader(deadline_s)
        return self._index

    async def wait_applied(self, index: int, *, deadline_s: float) -> bool:
        """Wait for ``advance_index`` or a proposal to reach the index."""
        try:
            async with asyncio.timeout(self._left_s(deadline_s)), self._changed:
                await self._changed.wait_for(lambda: self._index >= index)
        except TimeoutError:
            return False
        return True

    def view(self) -> ClusterView:
        """Return what was switched on, at the present index."""
        return replace(
            self._view,
            applied_index=self._index,
            commit_index=self._index,
            last_index=self._index,
        )

    async def elect(self) -> None:
        """End a time without a leader: this replica follows ``b`` now."""
        self.has_leader = True
        self._view = replace(
            self._view,
            leader="b",
            role="follower",
            caught_up=True,
            contact_age_s=0.0,
            waiting_for="",
        )
        await self.advance_index()

    async def _wait_for_leader(self, deadline_s: float) -> None:
        if self.refuses is not None:
            raise self.refuses()
        try:
            async with asyncio.timeout(self._left_s(deadline_s)), self._changed:
                await self._changed.wait_for(lambda: self.has_leader)
        except TimeoutError as error:
            raise NoLeader("nobody led until the deadline") from error

    def _left_s(self, deadline_s: float) -> float:
        return max(0.0, deadline_s - self._clock.now_s())
