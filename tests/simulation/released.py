"""A replica of PySyncObj as released, for the same simulation: it must fail it.

Commands go through one replicated method, as in ours; exceptions of the state machine
are caught (the released library would apply the command for ever).
"""

import asyncio
from typing import Any

from pysyncobj import FAIL_REASON, SyncObj, SyncObjConf, replicated
from pysyncobj import syncobj as library
from pysyncobj.node import Node

from cluster.config import ClusterConfig
from cluster.errors import NoLeader, OutcomeUnknown
from cluster.ports import Surroundings
from cluster.state_machine import StateMachine
from cluster.status import Applied, Role, Status
from tests.simulation.released_parts import ReleasedJournal, ReleasedTransport
from tests.simulation.versions import OLD

TICK_S = 0.02
NEVER = 10**9
ROLES = (Role.FOLLOWER, Role.CANDIDATE, Role.LEADER)
NOT_IN_THE_LOG = frozenset(
    (
        FAIL_REASON.QUEUE_FULL,
        FAIL_REASON.MISSING_LEADER,
        FAIL_REASON.NOT_LEADER,
        FAIL_REASON.REQUEST_DENIED,
        FAIL_REASON.DISCARDED,
    )
)


class Log(SyncObj):  # type: ignore[misc]
    """The replicated object: one method, which hands bytes to the state machine."""

    def __init__(
        self, config: ClusterConfig, machine: StateMachine, outside: Surroundings
    ) -> None:
        self.links = outside.links
        self._machine = machine
        timing = config.timing
        settings = SyncObjConf(
            autoTick=False,
            appendEntriesPeriod=timing.append_period_s,
            raftMinTimeout=timing.election_min_s,
            raftMaxTimeout=timing.election_max_s,
            leaderFallbackTimeout=timing.leader_fallback_s,
            # Small, so that a follower is caught up in several messages, as a large
            # log is with the default of 64 KiB: its faults lie in between.
            appendEntriesBatchSizeBytes=300,
            logCompactionMinEntries=NEVER,
            logCompactionMinTime=NEVER,
        )
        journal = ReleasedJournal(outside.files)
        library.createJournal = lambda _: journal
        super().__init__(
            Node(config.node_id),
            [Node(peer) for peer in config.peers],
            settings,
            nodeClass=Node,
            transportClass=ReleasedTransport,
        )

    @replicated  # type: ignore[untyped-decorator]
    def carry(self, command: bytes) -> tuple[int, bytes]:
        """Apply; an empty command is a barrier."""
        index = self.raftLastApplied + 1
        if not command:
            return index << 8, b""
        try:
            return index << 8, self._machine.apply(index << 8, command)
        except ValueError:
            return index << 8, b""


class ReleasedReplica:
    """Implements the simulation's ReplicaPort."""

    def __init__(
        self, config: ClusterConfig, machine: StateMachine, surroundings: Surroundings
    ) -> None:
        self._config = config
        self._links = surroundings.links
        self._log: Any = Log(config, machine, surroundings)

    @property
    def applied_index(self) -> int:
        """See ReplicaPort."""
        return int(self._log.raftLastApplied)

    @property
    def schema(self) -> int:
        """See ReplicaPort."""
        return OLD

    async def start(self) -> None:
        """See ReplicaPort."""
        await self._links.start(self._log._SyncObj__transport)
        self._tick()

    def _tick(self) -> None:
        self._log.doTick(0.0)
        asyncio.get_running_loop().call_later(TICK_S, self._tick)

    async def stop(self) -> None:
        """There is nothing graceful about it."""

    async def propose(self, command: bytes, *, deadline_s: float) -> Applied:
        """See ReplicaPort."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Applied] = loop.create_future()

        def answered(result: Any, reason: int) -> None:
            if done.done():
                return
            if reason == FAIL_REASON.SUCCESS:
                done.set_result(Applied(*result))
            elif reason in NOT_IN_THE_LOG:
                done.set_exception(NoLeader(str(reason)))
            else:
                done.set_exception(OutcomeUnknown(str(reason)))

        self._log.carry(command, callback=answered)
        try:
            async with asyncio.timeout_at(deadline_s):
                return await done
        except TimeoutError:
            raise OutcomeUnknown("no answer until the deadline") from None

    async def barrier(self, *, deadline_s: float) -> int:
        """See ReplicaPort."""
        return (await self.propose(b"", deadline_s=deadline_s)).index

    async def wait_applied(self, index: int, *, deadline_s: float) -> bool:
        """See ReplicaPort."""
        loop = asyncio.get_running_loop()
        while self.applied_index < index and loop.time() < deadline_s:
            await asyncio.sleep(TICK_S)
        return self.applied_index >= index

    def status(self) -> Status:
        """See ReplicaPort; it has no notion of being caught up."""
        log = self._log
        leader = log._getLeader()
        return Status(
            node_id=self._config.node_id,
            cluster_id="released",
            epoch=1,
            role=ROLES[log._SyncObj__raftState],
            term=log.raftCurrentTerm,
            leader=None if leader is None else str(leader.id),
            applied_index=log.raftLastApplied,
            commit_index=log.raftCommitIndex,
            last_index=log._SyncObj__raftLog[-1][1],
            caught_up=True,
            contact_age_s=None,
            stopping=False,
            waiting_for="",
            degraded=(),
            members=(),
        )
