"""The library's Raft core, with its private steps replaced where they are not safe.

Overrides, each answering a defect listed in DESIGN.md: applying in slices and behind
fences (an exception that leaves ``apply`` would be executed again on every tick, one
that leaves a callback would apply the entry twice); our own envelope instead of pickle;
our own snapshots instead of fork and gzip; no commit beyond what this replica has
synced.
"""

from collections.abc import Callable
from typing import Any

from cluster.config import Timing
from cluster.raft import library
from cluster.raft.appends import Appends
from cluster.raft.journal import RaftJournal
from cluster.raft.library import SyncObj, SyncObjConf
from cluster.raft.transport import RaftTransport

APPLY_SLICE_S = 0.002
"""After this much time in ``apply`` the rest waits for the next tick."""

COMMANDS_QUEUE = 10_000
HAND_OVER_QUIET_S = 0.1
"""After asking a peer to take the lead nothing is appended for this long."""

Answer = Callable[[Any, int], None]
"""``answer(result, reason)``: the library's callback; reason 0 is success."""


class RaftCore(SyncObj):  # type: ignore[misc]
    """One replica's Raft state; ticked from the event loop by its owner.

    ``apply_entry(index, payload)`` applies one envelope and returns its result. It must
    not raise: whatever must stop the replica does so before it would return.
    """

    def __init__(
        self,
        journal: RaftJournal,
        transport: RaftTransport,
        appends: Appends,
        node_id: str,
        timing: Timing,
        *,
        applied: tuple[int, int],
        apply_entry: Callable[[int, bytes], Any],
        state_changed: Callable[[int, int], None],
        want_tick: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._nodes = transport.nodes
        self._appends = appends
        self._append_period_s = timing.append_period_s
        self._apply_entry = apply_entry
        self._state_changed = state_changed
        self._want_tick = want_tick
        self._quiet_until_s = 0.0
        self.may_campaign = True
        """Set before each tick (see election): the library looks at its deadline again
        within the tick, and it may have passed only then."""
        self.applying = True
        """False while a snapshot is being installed: the state is not ours to change.
        """
        applied_index, self.applied_term = applied
        """Index and term of the entry that the state stands at."""
        conf = SyncObjConf(
            autoTick=False,
            appendEntriesUseBatch=False,
            appendEntriesPeriod=timing.append_period_s,
            raftMinTimeout=timing.election_min_s,
            raftMaxTimeout=timing.election_max_s,
            # A belt: `Fitness` looks at it more carefully, and earlier.
            leaderFallbackTimeout=2 * timing.leader_fallback_s,
            connectionTimeout=max(2.0, timing.election_max_s),
            commandsWaitLeader=False,
            commandsQueueSize=COMMANDS_QUEUE,
            dynamicMembershipChange=False,
            useFork=False,
            onStateChanged=self._on_state_changed,
        )
        me = library.Node(node_id)
        others = list(transport.nodes.values())
        library.with_journal(
            journal,
            lambda: super(RaftCore, self).__init__(
                me, others, conf, transport=transport
            ),
        )
        self._SyncObj__raftLastApplied: int = applied_index
        self._SyncObj__raftCommitIndex: int = journal.getRaftCommitIndex()
        transport.core = self
        if not others:  # nobody to wait for: lead at once
            self._SyncObj__raftElectionDeadline = 0.0

    def _on_state_changed(self, old: int, new: int) -> None:
        self._state_changed(old, new)

    def _SyncObj__connectedToAnyone(self) -> bool:  # noqa: N802
        """The library asks this last before it campaigns, and for nothing else."""
        return self.may_campaign and bool(super()._SyncObj__connectedToAnyone())

    # -- what the owner asks

    @property
    def is_leader(self) -> bool:
        """Whether this replica believes that it leads."""
        return bool(self._isLeader())

    @property
    def leader(self) -> str | None:
        """Id of the leader as last heard, None while there is none."""
        node = self._SyncObj__raftLeader
        return None if node is None else str(node.id)

    @property
    def state(self) -> int:
        """FOLLOWER, CANDIDATE or LEADER."""
        return int(self._SyncObj__raftState)

    def propose(self, payload: bytes, answer: Answer) -> None:
        """Ask for ``payload`` to be appended; ``answer`` is called at most once, or
        never.
        """
        self._applyCommand(payload, answer, 0)
        self._want_tick()

    def forget(self, answer: Answer) -> None:
        """Drop what waits for ``answer`` in the library's tables: nobody listens any
        more.
        """
        replies = self._SyncObj__commandsWaitingReply
        for key in [k for k, waiting in replies.items() if waiting is answer]:
            del replies[key]
        commits = self._SyncObj__commandsWaitingCommit
        for index in [i for i, w in commits.items() if any(a is answer for _, a in w)]:
            commits[index] = [(t, a) for t, a in commits[index] if a is not answer]
            if not commits[index]:
                del commits[index]

    def refuse_forward(self, request_id: int) -> None:
        """Answer a proposal that could not be sent to the leader: it never left."""
        answer = self._SyncObj__commandsWaitingReply.pop(request_id, None)
        if answer is not None:
            answer(None, library.FAIL_REASON.MISSING_LEADER)

    def quorum_heard_s(self) -> float:
        """When a majority had last answered this replica as leader (library's time)."""
        heard = sorted(self._SyncObj__lastResponseTime.values(), reverse=True)
        others_needed = (len(self.otherNodes) + 1) // 2
        return heard[others_needed - 1] if len(heard) >= others_needed > 0 else 0.0

    def step_down(self) -> None:
        """Stop leading: our own disk does not follow, or nobody answers."""
        self._SyncObj__setState(library.FOLLOWER)
        self._SyncObj__raftLeader: Any = None

    def hand_over_to(self, peer: str) -> bool:
        """Ask ``peer`` to campaign at once; False if it lacks our last entry."""
        node = self._nodes[peer]
        matched = self._SyncObj__raftMatchIndex.get(node, 0)
        if node not in self._SyncObj__connectedNodes or not self.is_leader:
            return False
        if matched != self._journal.last_index:
            return False
        self.transferLeadership(node)
        # An entry appended now would make our log, and that of whoever takes it, longer
        # than the candidate's, which then would lose the vote.
        self._quiet_until_s = library.now_s() + HAND_OVER_QUIET_S
        return True

    def installed(self, index: int, term: int) -> None:
        """A snapshot at ``index`` is the state: answers up to it never come."""
        self._SyncObj__raftLastApplied = index
        self.applied_term = term
        self.commit_up_to(index)
        commits = self._SyncObj__commandsWaitingCommit
        for passed in sorted(i for i in commits if i <= index):
            for _, answer in commits.pop(passed):
                answer(None, library.FAIL_REASON.UNKNOWN_OUTCOME)

    def commit_up_to(self, index: int) -> None:
        """Take for committed what a snapshot covers: it holds nothing else."""
        self._SyncObj__raftCommitIndex = max(self._SyncObj__raftCommitIndex, index)
        self._journal.setRaftCommitIndex(self._SyncObj__raftCommitIndex)

    def adopt_vote(self, candidate: str) -> None:
        """Count this term's vote as given (see joining), so that none is given."""
        self._SyncObj__setCurrentTerm(self.raftCurrentTerm, candidate)

    def continue_sending(self, peer: str) -> None:
        """An answer made room for more entries to ``peer``."""
        node = self._nodes[peer]
        next_index = self._SyncObj__raftNextIndex[node]
        if next_index <= self._journal.last_index:
            self._send_to(node, alive=False)

    def _send_to(self, node: library.Node, *, alive: bool) -> None:
        next_index = self._SyncObj__raftNextIndex
        next_index[node] = self._appends.send(
            node.id,
            next_index[node],
            self.raftCurrentTerm,
            self._SyncObj__raftCommitIndex,
            alive=alive,
        )

    # -- the library's private steps, replaced

    def _checkCommandsToApply(self) -> None:  # noqa: N802
        if self.is_leader and library.now_s() < self._quiet_until_s:
            return  # being handed over: commands wait, and go to the new leader
        super()._checkCommandsToApply()

    def _SyncObj__sendAppendEntries(self) -> None:  # noqa: N802
        self._SyncObj__newAppendEntriesTime = library.now_s() + self._append_period_s
        for node in self._nodes.values():  # in a fixed order, unlike the library's set
            if node in self._SyncObj__connectedNodes:
                self._send_to(node, alive=True)

    def _SyncObj__applyLogEntries(self) -> bool:  # noqa: N802
        journal, commit = self._journal, self._SyncObj__raftCommitIndex
        if self.is_leader:
            # The library counts the leader's copy at once; alone in its cluster it
            # would acknowledge what is not on disk.
            commit = min(commit, journal.durable_index)
        applied = self._SyncObj__raftLastApplied
        if commit <= applied or not self.applying:
            return False
        deadline = library.now_s() + APPLY_SLICE_S
        while applied < commit:
            command, index, term = journal.log[applied + 1 - journal.log[0][1]]
            waiting = self._SyncObj__commandsWaitingCommit.pop(index, ())
            result = self._apply_entry(index, command)
            applied = self._SyncObj__raftLastApplied = index
            self.applied_term = term
            for asked_term, answer in waiting:
                if asked_term == term:
                    answer(result, library.FAIL_REASON.SUCCESS)
                else:
                    answer(None, library.FAIL_REASON.DISCARDED)
            if library.now_s() > deadline and applied < commit:
                self._want_tick()
                break
        return True

    def _SyncObj__doApplyCommand(self, _: bytes) -> None:  # noqa: N802
        message = "entries are applied by our own loop only"
        raise RuntimeError(message)

    def _SyncObj__tryLogCompaction(self) -> None:  # noqa: N802
        """Nothing: the owner makes snapshots and compacts the journal."""

    def _SyncObj__loadDumpFile(self, clearJournal: bool) -> None:  # noqa: N802, N803
        message = "snapshots are installed by the owner only"
        raise RuntimeError(message)
