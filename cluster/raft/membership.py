"""This replica's identity: what it is now, and how it durably becomes something
else.
"""

import asyncio
from collections.abc import Callable

from cluster.identity import Identity, Standing
from cluster.raft.core import RaftCore
from cluster.raft.log_writer import LogWriter


def _nothing() -> None:
    """Nobody waits for it."""


class Membership:
    """Invariant: ``identity`` is on disk; ``changed`` is told after each change."""

    def __init__(
        self,
        identity: Identity,
        writer: LogWriter,
        changed: Callable[[], None],
        report: Callable[[str, dict[str, object]], None],
    ) -> None:
        self.identity = identity
        self._writer = writer
        self._changed = changed
        self._report = report

    def adopt(self, identity: Identity, done: Callable[[], None] = _nothing) -> None:
        """Make ``identity`` durable, then ours, then call ``done``."""

        def written() -> None:
            self.identity = identity
            self._report("standing changed", {"standing": str(identity.standing)})
            self._changed()
            done()

        self._writer.write_identity(identity, written)

    async def become_member(self, core: RaftCore) -> None:
        """End joining: vote from now on, but in no term that our former self knew."""
        me = self.identity
        core.adopt_vote(core.leader or me.node_id)
        await self._writer.wait_synced()
        member = Identity(
            me.node_id, me.cluster_id, me.epoch, me.members, Standing.MEMBER
        )
        written = asyncio.Event()  # not a future: we may be cancelled before it is
        self.adopt(member, written.set)
        await written.wait()
