"""Pre-vote: ask whether an election could be won before disturbing a cluster that
works.

Raft dissertation 9.6, and "leader stickiness" (4.2.3): a peer grants a pre-vote only
when it has not heard a leader for the shortest election timeout. The library has
neither, so a replica that was paused or half cut off would raise terms for ever. A peer
that knows a newer term says so (the library stays silent, and a stale leader never
learns).

Of two who ask at the same time one goes first, else each would vote for itself and the
cluster would wait for one more election timeout.
"""

from collections.abc import Callable
from typing import Any

from cluster.raft import library
from cluster.raft.journal import RaftJournal
from cluster.raft.outbox import Outbox
from cluster.raft.wire import NewerTerm, PreVote, PreVoteGranted

SOON_MIN_S = 0.02
SOON_SPREAD_S = 0.12
RIVAL_SHARE = 0.2
"""For this share of the shortest election timeout a round counts as under way."""


class Election:
    """Rounds of pre-votes of one replica.

    ``may_vote`` is false while this replica has no right to take part (see founding and
    joining); ``leader_age_s`` is the age of the last sign of a leader, None for never.
    """

    def __init__(
        self,
        core: Any,
        journal: RaftJournal,
        outbox: Outbox,
        *,
        node_id: str,
        may_vote: Callable[[], bool],
        may_campaign: Callable[[], bool],
        leader_age_s: Callable[[], float | None],
        election_min_s: float,
    ) -> None:
        self._core = core
        self._journal = journal
        self._outbox = outbox
        self._node_id = node_id
        self._may_vote = may_vote
        self._may_campaign = may_campaign
        self._leader_age_s = leader_age_s
        self._election_min_s = election_min_s
        self._round = 0
        self._granted: set[str] = set()
        self._won = False
        self._asked_s = float("-inf")
        self._has_yielded = False
        """Since the own last round: who asks in vain again and again holds nobody up.
        """
        self._is_link_down = False
        self.rounds = 0
        """Pre-vote rounds begun, for the metrics."""

    def before_tick(self) -> None:
        """Keep the library from campaigning before a majority would vote for us."""
        core = self._core
        core.may_campaign = False
        if core._isLeader():
            return
        now = library.now_s()
        if self._won and self._may_campaign():
            self._won = False
            core._SyncObj__raftElectionDeadline = 0.0
            core.may_campaign = True
            return
        if core._SyncObj__raftElectionDeadline >= now:
            return
        if not self._may_campaign():
            core._SyncObj__transferInProgress = False  # asked in vain
            self._postpone(now)
        elif core.otherNodes and not core._SyncObj__transferInProgress:
            self._begin_round(now)
        else:  # asked to take the lead, or alone
            core.may_campaign = True

    def _begin_round(self, now: float) -> None:
        core = self._core
        self._round += 1
        self.rounds += 1
        self._granted = set()
        self._asked_s = now
        self._has_yielded = False
        _, last_index, last_term = self._journal.log[-1]
        question = PreVote(self._round, core.raftCurrentTerm + 1, last_term, last_index)
        for node in sorted(node.id for node in core.otherNodes):
            self._outbox.send_when_synced(node, question)
        self._postpone(now)

    def _postpone(self, now: float) -> None:
        wait_s = self._election_min_s / 2 * (1 + library.random_unit())
        self._core._SyncObj__raftElectionDeadline = now + wait_s

    def on_pre_vote(self, peer: str, message: PreVote) -> None:
        """Answer whether we would vote for ``peer``."""
        core = self._core
        if not self._may_vote():
            return
        if message.term <= core.raftCurrentTerm:
            answer = NewerTerm(core.raftCurrentTerm, to_append=False)
            self._outbox.send_when_synced(peer, answer)
            return
        if core._isLeader() or self._hears_leader():
            return
        _, last_index, last_term = self._journal.log[-1]
        theirs, ours = (message.last_term, message.last_index), (last_term, last_index)
        if theirs < ours:
            self._ask_soon()  # nobody leads, and the better log is ours
        elif theirs > ours or not self._goes_before(peer):
            self._yield()
            self._outbox.send_when_synced(peer, PreVoteGranted(message.round))

    def _goes_before(self, peer: str) -> bool:
        """Whether ``peer``, with a log as good as ours, asks while we do, and the ids
        say that it waits.
        """
        asked_ago_s = library.now_s() - self._asked_s
        is_rival = self._won or asked_ago_s < RIVAL_SHARE * self._election_min_s
        return is_rival and self._node_id < peer

    def _yield(self) -> None:
        """Leave the next term to another, for the moment."""
        if not self._has_yielded:
            self._has_yielded = True
            self._void_round()
            self._postpone(library.now_s())

    def on_granted(self, peer: str, message: PreVoteGranted) -> None:
        """Campaign in the next tick once a majority would vote for us."""
        core = self._core
        if message.round != self._round or core._isLeader():
            return
        self._granted.add(peer)
        if len(self._granted) + 1 > (len(core.otherNodes) + 1) / 2:
            self._void_round()
            self._won = True

    def _void_round(self) -> None:
        """Count no more answers to the round under way."""
        self._round += 1
        self._won = False

    def _hears_leader(self) -> bool:
        age_s = self._leader_age_s()
        is_fresh = age_s is not None and age_s < self._election_min_s
        return is_fresh and not self._is_link_down

    def leader_link_broke(self) -> None:
        """The leader's process or host is gone, most likely: ask around at once.

        A peer that still hears it says no, so a link that merely broke costs nothing.
        The spread keeps two followers from campaigning against each other.
        """
        self._is_link_down = True
        self._ask_soon()

    def _ask_soon(self) -> None:
        wait_s = SOON_MIN_S + SOON_SPREAD_S * library.random_unit()
        core = self._core
        core._SyncObj__raftElectionDeadline = min(
            core._SyncObj__raftElectionDeadline, library.now_s() + wait_s
        )

    def leader_heard(self) -> None:
        """A leader showed itself: the running round is void."""
        self._is_link_down = False
        self._has_yielded = False
        self._void_round()

    def on_newer_term(self, _: str, message: NewerTerm) -> None:
        """Adopt a newer term. A leader steps down only when a follower's answer says
        so.
        """
        core = self._core
        if message.term <= core.raftCurrentTerm:
            return
        if core._isLeader() and not message.to_append:
            return  # a leader never changes its term in place
        core._SyncObj__setCurrentTerm(message.term, None)
        core._SyncObj__setState(library.FOLLOWER)
        core._SyncObj__raftLeader = None
