"""One replica as its user sees it: propose, wait, read the status, stop.

The user's machine stands behind a ledger (numbered batches), commands go through a
batcher (group commit), and a Raft node carries them. A caller waits for the cluster,
not the other way round: what was refused or is unknown is tried again until its
deadline.
"""

import asyncio
from dataclasses import replace
from functools import partial

from cluster.batcher import Batcher
from cluster.config import ClusterConfig
from cluster.describe import before_start, describe
from cluster.errors import DiskLow, NoLeader, Refused, SchemaNotAgreed, Stopping
from cluster.guard import GuardedWorker
from cluster.identity import Standing
from cluster.leadership import Duty, Leadership
from cluster.ledger import Ledger
from cluster.ports import Surroundings
from cluster.raft import proposals
from cluster.raft.node import RaftNode
from cluster.raft.recovery import in_worker, recover
from cluster.raft.wire import INCARNATION_BYTES
from cluster.state_machine import StateMachine
from cluster.status import Applied, Status
from cluster.waiters import IndexWaiters

HAND_OVER_S = 2.0
DRAIN_S = 4.0
CLOSE_S = 3.0
"""With HAND_OVER_S and DRAIN_S: a stop takes at most 9 s."""
JOIN_RETRY_S = 5.0


class Replica:
    """One member of a cluster (or a cluster of one)."""

    def __init__(
        self, config: ClusterConfig, machine: StateMachine, surroundings: Surroundings
    ) -> None:
        self._config = config
        self._surroundings = replace(
            surroundings,
            log_worker=GuardedWorker(surroundings.log_worker, surroundings.fatal),
            bulk_worker=GuardedWorker(surroundings.bulk_worker, surroundings.fatal),
        )
        self._ledger = Ledger(machine, config.schema)
        self.leadership = Leadership(surroundings.fatal)
        self._node: RaftNode | None = None
        self._batcher: Batcher | None = None
        self._waiters = IndexWaiters()
        self._joining: asyncio.Task[None] | None = None
        self._stopping = False
        self._has_started = asyncio.Event()

    def add_duty(self, name: str, duty: Duty) -> None:
        """Have ``duty`` run while this replica leads; before ``start``."""
        self.leadership.add(name, duty)

    async def start(self) -> None:
        """Recover from the disk, open the links, begin to take part.

        Raises StartRefused (and its leaves) when the replica must not run like this.
        """
        recovery = await recover(self._config, self._surroundings, self._ledger)
        if recovery.torn_bytes:
            fields: dict[str, object] = {"bytes": recovery.torn_bytes}
            self._surroundings.report("cut an unfinished write off the log", fields)
        bits = self._surroundings.random.getrandbits(8 * INCARNATION_BYTES)
        incarnation = bits.to_bytes(INCARNATION_BYTES, "big")
        node = RaftNode(
            self._config,
            self._surroundings,
            self._ledger,
            recovery,
            self,
            incarnation,
        )
        self._batcher = Batcher(
            self._config.node_id,
            incarnation,
            partial(proposals.submit, node),
            timing=self._config.timing,
            limits=self._config.limits,
            schema=lambda: self._ledger.min_schema,
        )
        self._node = node
        await self._surroundings.links.start(node.gateway)
        node.start()
        self._has_started.set()

    # -- what the node tells

    def leader_changed(self) -> None:
        """Propose again what the former leader may have lost."""
        if self._batcher is not None:
            self._batcher.leader_changed()

    def applied(self, index: int) -> None:
        """Wake who waits for ``index``."""
        self._waiters.reached(index)

    def ticked(self) -> None:
        """Follow the leadership; come in from joining once a leader is known."""
        node = self._running()
        leads = (
            node.core.is_leader and node.core.applied_term == node.core.raftCurrentTerm
        )
        self.leadership.update(is_leading=leads and not self._stopping)
        schema = self._config.schema
        is_due = leads and self._ledger.min_schema < schema
        if self._batcher is not None:
            is_complete = is_due and node.peers.all_understand(schema)
            self._batcher.raise_schema(schema if is_complete else 0)
        if node.identity.standing is Standing.JOINING and self._joining is None:
            task = asyncio.get_running_loop().create_task(self._finish_joining(node))
            self._joining = task

    @property
    def schema(self) -> int:
        """The newest command schema that may be proposed: every member knows it."""
        return self._ledger.min_schema

    async def _finish_joining(self, node: RaftNode) -> None:
        """Vote again once an entry proposed after our hello was applied here."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self.barrier(deadline_s=loop.time() + JOIN_RETRY_S)
                break
            except Stopping:
                return
            except Refused:
                await asyncio.sleep(self._config.timing.attempt_s)
        await node.membership.become_member(node.core)
        self._joining = None

    # -- what the user asks

    def _running(self) -> RaftNode:
        if self._node is None:
            message = "the replica has not started"
            raise NoLeader(message)
        return self._node

    async def _started(self, deadline_s: float) -> Batcher:
        """Wait until this replica takes part: its callers wait for it, too."""
        if self._batcher is None:
            try:
                async with asyncio.timeout_at(deadline_s):
                    await self._has_started.wait()
            except TimeoutError:
                message = "this replica was still reading its disk at the deadline"
                raise NoLeader(message) from None
        if self._batcher is None:
            message = "this replica stopped before it had started"
            raise Stopping(message)
        return self._batcher

    async def propose(
        self, command: bytes, *, deadline_s: float, schema: int = 1
    ) -> Applied:
        """Replicate ``command``; return when it was applied here.

        ``deadline_s`` is in the event loop's time; the command waits until all members
        understand its ``schema``. Raises Refused leaves (certainly not in the log) or
        OutcomeUnknown.
        """
        batcher = await self._started(deadline_s)
        while self._ledger.min_schema < schema:
            next_index = self.applied_index + 1
            if not await self.wait_applied(next_index, deadline_s=deadline_s):
                message = "not all members understand it yet: upgrade the others"
                raise SchemaNotAgreed(message)
        if self._running().compaction.disk_low:
            message = "too little disk is free to take writes"
            raise DiskLow(message)
        return await batcher.propose(command, deadline_s)

    async def barrier(self, *, deadline_s: float) -> int:
        """Return an index at which everything acknowledged before this call is applied.

        Raises Refused leaves.
        """
        batcher = await self._started(deadline_s)
        return (await batcher.barrier(deadline_s)).index

    async def wait_applied(self, index: int, *, deadline_s: float) -> bool:
        """Return True once ``index`` is applied here, False at the deadline."""
        if self.applied_index >= index:
            return True
        return await self._waiters.wait(index, deadline_s)

    @property
    def applied_index(self) -> int:
        """Index up to which the log was applied here."""
        return self._ledger.index

    def status(self) -> Status:
        """Describe the cluster as this replica sees it."""
        if self._node is None:
            return before_start(self._config, stopping=self._stopping)
        return describe(self._node, stopping=self._stopping)

    def counters(self) -> dict[str, float]:
        """Return what happened since the start, for the metrics."""
        node, batcher = self._node, self._batcher
        if node is None or batcher is None:
            return {}
        return {
            "batches": batcher.batches,
            "commands": batcher.commands,
            "attempts": batcher.attempts,
            "waiting": batcher.waiting,
            "expired": batcher.expired,
            "duplicates": self._ledger.duplicates,
            "internal_refusals": self._ledger.refusals,
            **node.counters(),
        }

    # -- the end

    async def hand_over(self) -> None:
        """Say that we stop, and see to it that somebody else leads; still answer.

        New proposals wait meanwhile (milliseconds), then go to the new leader.
        """
        self._stopping = True
        self._has_started.set()
        self.leadership.update(is_leading=False)
        node, batcher = self._node, self._batcher
        if node is None or batcher is None:
            return
        loop = asyncio.get_running_loop()
        batcher.pause()
        node.fitness.is_stopping = True
        node.wake()
        deadline_s = loop.time() + HAND_OVER_S
        while self._must_hand_over(node) and loop.time() < deadline_s:
            await asyncio.sleep(self._config.timing.tick_s)
        batcher.resume()

    async def stop(self) -> None:
        """Hand leadership over, finish what is under way, close links and workers."""
        if not self._stopping:
            await self.hand_over()
        node, batcher = self._node, self._batcher
        if batcher is not None:
            loop = asyncio.get_running_loop()
            batcher.close()
            deadline_s = loop.time() + DRAIN_S
            while not batcher.is_idle and loop.time() < deadline_s:
                await asyncio.sleep(self._config.timing.tick_s)
            batcher.abandon()
        if self._joining is not None:
            self._joining.cancel()
        self._waiters.close()
        if node is not None:
            node.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._close(node)
        except TimeoutError:
            self._surroundings.fatal("the disk did not answer while stopping")

    async def _close(self, node: RaftNode | None) -> None:
        await self._surroundings.links.close()
        # First the worker whose results may still ask something of the log's.
        await self._surroundings.bulk_worker.close()
        if node is not None:
            await in_worker(self._surroundings.log_worker, node.writer.close)
        await self._surroundings.log_worker.close()

    @staticmethod
    def _must_hand_over(node: RaftNode) -> bool:
        connected = node.peers.connected()
        return bool(connected) and (node.core.is_leader or node.core.leader is None)
