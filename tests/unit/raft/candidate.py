"""One replica's election by hand: the core that it stands on, and what it says."""

from random import Random

from cluster.entry import NO_OP
from cluster.raft import library
from cluster.raft.election import Election
from cluster.raft.journal import RaftJournal
from cluster.raft.library import Node
from cluster.raft.outbox import Outbox
from cluster.raft.wire import Message, PreVote
from tests.scenarios.support_hands import HandClock

ELECTION_MIN_S = 0.3


class Core:
    """What an election asks of the library: its term, its state, its deadline."""

    def __init__(self, peers: str) -> None:
        self.raftCurrentTerm = 4
        self.otherNodes = {Node(peer) for peer in peers}
        self.leads = False
        self.deadline = 0.0
        vars(self)["_SyncObj__raftElectionDeadline"] = 0.0
        vars(self)["_SyncObj__transferInProgress"] = False
        vars(self)["_SyncObj__raftLeader"] = None
        self.voted_for: str | None = "a"

    def _isLeader(self) -> bool:  # noqa: N802
        return self.leads

    def _SyncObj__setCurrentTerm(self, term: int, vote: str | None) -> None:  # noqa: N802
        self.raftCurrentTerm, self.voted_for = term, vote

    def _SyncObj__setState(self, state: int) -> None:  # noqa: N802
        self.leads = state == library.LEADER

    @property
    def campaigns(self) -> bool:
        """Whether the library would campaign in this tick."""
        deadline = vars(self)["_SyncObj__raftElectionDeadline"]
        return bool(deadline < library.now_s())

    def expire(self) -> None:
        """Let the election deadline pass."""
        vars(self)["_SyncObj__raftElectionDeadline"] = library.now_s() - 0.001


class Candidate:
    """One replica's election, and what it says. Its log ends at (3, term 2)."""

    def __init__(self, peers: str = "bc", node_id: str = "a") -> None:
        self.clock = HandClock()
        library.install(self.clock.now_s, Random(1))
        self.core = Core(peers)
        self.may_vote = self.may_campaign = True
        self.leader_age_s: float | None = None
        self.said: list[tuple[str, Message]] = []
        log = [(NO_OP, 1, 0), (b"\x00x", 2, 2), (b"\x00x", 3, 2)]
        journal = RaftJournal(log, 4, "a", 1)
        journal.synced(journal.take()[1])
        self.election = Election(
            self.core,
            journal,
            Outbox(journal, self.put),
            node_id=node_id,
            may_vote=lambda: self.may_vote,
            may_campaign=lambda: self.may_campaign,
            leader_age_s=lambda: self.leader_age_s,
            election_min_s=ELECTION_MIN_S,
        )

    def put(self, peer: str, message: Message) -> bool:
        """Note it."""
        self.said.append((peer, message))
        return True

    def begin(self) -> int:
        """Begin a round; return its number."""
        self.core.expire()
        self.election.before_tick()
        question = self.said[-1][1]
        assert isinstance(question, PreVote)
        return question.round
