"""Between the library and the links: translates, and repairs the protocol.

Each repair names the defect of PySyncObj 0.3.17 that it answers (P1 … P7, as numbered
in DESIGN.md): stale acks, truncation without a conflict, rewinding acks, lost request
ids, votes counted by message.
"""

from typing import Any

from cluster.entry import LogEntry
from cluster.raft import library
from cluster.raft.appends import Appends
from cluster.raft.journal import RaftJournal
from cluster.raft.library import Node, Transport
from cluster.raft.outbox import Outbox
from cluster.raft.translate import to_message
from cluster.raft.wire import (
    Ack,
    Append,
    Forward,
    ForwardAnswer,
    Message,
    RequestVote,
    TimeoutNow,
    Vote,
)


class RaftTransport(Transport):  # type: ignore[misc]
    """The library's Transport, over an outbox; appends themselves are ``Appends``'."""

    def __init__(
        self,
        journal: RaftJournal,
        outbox: Outbox,
        appends: Appends,
        peers: tuple[str, ...],
        *,
        request_base: int,
    ) -> None:
        super().__init__(None, None, [])
        self.core: Any = None
        self.nodes = {peer: Node(peer) for peer in peers}
        self.last_append_s: float | None = None
        """When a leader was last heard (the library's time)."""
        self.contact: tuple[int, int] = (0, 0)
        """(term, leader's commit index) at the first matching append of that term."""
        self.stale_dropped = 0
        self._journal = journal
        self._outbox = outbox
        self._appends = appends
        self._request_base = request_base
        self._held_acks: dict[str, Ack] = {}
        self._rewound_at: dict[str, int] = {}
        self._answering_seq = 0
        self._ack_instead: int | None = None
        self._forwarded: dict[str, int] = {}
        self._voters: set[str] = set()
        self._voters_term = 0

    @property
    def ready(self) -> bool:
        """Always: links are dialled and re-dialled on their own."""
        return True

    # -- outgoing

    def send(self, node: Node, message: dict[str, Any]) -> bool:
        """Send what the library says, translated; held back until it may leave."""
        peer = node.id
        kind = message["type"]
        if kind == "next_node_idx":
            out: Message = self._ack(message)
        elif kind == "apply_command":
            # P5: the library counts requests from 1 after each start; an answer to a
            # former life must not be taken for one to a new request.
            request_id = message["request_id"]
            if node not in self.core._SyncObj__connectedNodes:
                self.core.refuse_forward(request_id)
                return False
            out = Forward(self._request_base + request_id, message["command"])
        else:
            out = to_message(message)
        return self._outbox.send_when_synced(peer, out)

    def _ack(self, message: dict[str, Any]) -> Ack:
        next_index, reset = message["next_node_idx"], message["reset"]
        if self._ack_instead is not None:  # P2: do not claim the tail that we kept
            next_index, reset = self._ack_instead, False
        elif reset:  # P4: what is committed here matches every leader's log
            committed = max(self.core.raftCommitIndex, self.core.raftLastApplied)
            next_index = committed + 1
        return Ack(
            self.core.raftCurrentTerm,
            next_index,
            reset,
            message["success"],
            self._answering_seq,
        )

    def on_synced(self) -> None:
        """The journal's mark moved: acks up to the own durable index count now."""
        durable = self._journal.durable_index
        for peer, ack in list(self._held_acks.items()):
            if ack.next_index - 1 <= durable:
                del self._held_acks[peer]
                self.on_ack(peer, ack)

    # -- incoming

    def on_append(self, peer: str, message: Append) -> None:
        """Take a leader's append of the present or a newer term."""
        self.last_append_s = library.now_s()
        self._answering_seq = message.seq
        prev, entries = message.prev_index, message.entries
        last = self._journal.last_index
        if prev < last and self._is_known(message):
            match = self._matching(prev, entries)
            if match == prev + len(entries):
                self._deliver_known(peer, message, match)
            else:  # new entries, or a real conflict, begin right behind ``match``
                term = self._journal.term_at(match)
                new = entries[match - prev :]
                self._deliver(peer, message, match, term, new, message.commit_index)
        else:
            term = message.prev_term
            self._deliver(peer, message, prev, term, entries, message.commit_index)
        if self.contact[0] != message.term and self._is_known(message):
            self.contact = (message.term, message.commit_index)

    def _deliver_known(self, peer: str, message: Append, match: int) -> None:
        # P2: nothing new. The library would cut the log behind the message, though what
        # it cuts may be acknowledged: keep the tail, claim only what this message
        # proves, and commit no further than that.
        last = self._journal.last_index
        commit_index = min(message.commit_index, match)
        self._ack_instead = match + 1
        try:
            self._deliver(
                peer, message, last, self._journal.term_at(last), [], commit_index
            )
        finally:
            self._ack_instead = None

    def _is_known(self, message: Append) -> bool:
        return self._journal.term_at(message.prev_index) == message.prev_term

    def _matching(self, prev: int, entries: list[LogEntry]) -> int:
        match = prev
        for _, index, term in entries:
            if self._journal.term_at(index) != term:
                break
            match = index
        return match

    def _deliver(
        self,
        peer: str,
        message: Append,
        prev_index: int,
        prev_term: int | None,
        entries: list[LogEntry],
        commit_index: int,
    ) -> None:
        self._pass(
            peer,
            "append_entries",
            term=message.term,
            commit_index=commit_index,
            prevLogIdx=prev_index,
            prevLogTerm=prev_term,
            entries=entries,
        )

    def _pass(self, peer: str, kind: str, **fields: object) -> None:
        self._onMessageReceived(self.nodes[peer], {"type": kind, **fields})

    def on_ack(self, peer: str, ack: Ack) -> None:
        """Take a follower's answer, if it answers this term's leader (P1)."""
        core = self.core
        if (
            ack.term != core.raftCurrentTerm
            or not core._isLeader()
            or ack.next_index > self._journal.last_index + 1
        ):
            self.stale_dropped += 1
            return
        node = self.nodes[peer]
        reset, success = ack.reset, ack.success
        if reset:
            if ack.seq <= self._rewound_at.get(peer, 0):
                reset = False  # P4: answers an append sent before the last rewind
            else:
                self._rewound_at[peer] = self._appends.seq
                self._appends.forget(peer)
        elif success:
            self._appends.answered(peer, ack.next_index)
        if success and not reset and ack.next_index - 1 > self._journal.durable_index:
            self._hold(peer, ack)
            success = False  # until our own copy is synced, a sign of life alone
        next_index = core._SyncObj__raftNextIndex
        before = next_index[node]
        self._pass(
            peer,
            "next_node_idx",
            next_node_idx=ack.next_index,
            reset=reset,
            success=success,
        )
        if success and next_index[node] < before:
            next_index[node] = before  # P7: an ack must not rewind the pipeline
        core.continue_sending(peer)

    def _hold(self, peer: str, ack: Ack) -> None:
        kept = self._held_acks.get(peer)
        if kept is None or kept.term < ack.term or kept.next_index <= ack.next_index:
            self._held_acks[peer] = ack

    def forget_acks(self, peer: str) -> None:
        """The peer begins a new life, maybe on an empty disk: its old acks count no
        more.
        """
        self._held_acks.pop(peer, None)
        self._forwarded.pop(peer, None)  # its request ids have another base
        node, core = self.nodes[peer], self.core
        if node in core._SyncObj__raftMatchIndex:
            core._SyncObj__raftMatchIndex[node] = 0

    def on_vote(self, peer: str, vote: Vote) -> None:
        """Count each voter once in a term (the library counts messages)."""
        if vote.term != self._voters_term:
            self._voters, self._voters_term = set(), vote.term
        if peer not in self._voters:
            self._voters.add(peer)
            self._pass(peer, "response_vote", term=vote.term)

    def on_request_vote(self, peer: str, request: RequestVote) -> None:
        """Pass a candidate's request on."""
        self._pass(
            peer,
            "request_vote",
            term=request.term,
            last_log_index=request.last_index,
            last_log_term=request.last_term,
        )

    def on_forward(self, peer: str, forward: Forward) -> None:
        """Queue a follower's proposal.

        Each once: a copy of one that we refused would be in the log after all.
        """
        if forward.request_id <= self._forwarded.get(peer, -1):
            self.stale_dropped += 1
            return
        self._forwarded[peer] = forward.request_id
        self._pass(
            peer,
            "apply_command",
            command=forward.command,
            request_id=forward.request_id,
        )

    def on_forward_answer(self, peer: str, answer: ForwardAnswer) -> None:
        """Match the leader's answer with our request, if this life made it (P5)."""
        counter = answer.request_id - self._request_base
        if not 0 < counter <= self.core._SyncObj__commandsLocalCounter:
            self.stale_dropped += 1
            return
        fields = {"log_idx": answer.index, "log_term": answer.term}
        if answer.error:
            fields = {"error": answer.error}
        self._pass(peer, "apply_command_response", request_id=counter, **fields)

    def on_timeout_now(self, peer: str, message: TimeoutNow) -> None:
        """Campaign at once, if the present leader says so."""
        self._pass(peer, "timeout_now", term=message.term)

    def on_connected(self, peer: str) -> None:
        """Frames reach ``peer`` from now on."""
        self._onNodeConnected(self.nodes[peer])

    def on_disconnected(self, peer: str) -> None:
        """Frames no longer reach ``peer``."""
        self._appends.forget(peer)
        self._onNodeDisconnected(self.nodes[peer])

    def destroy(self) -> None:
        """Nothing to release: links belong to the owner."""
