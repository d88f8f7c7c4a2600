"""Founding: each rule by itself, without links or disks."""

import pytest

from cluster.identity import Identity, Standing
from cluster.raft.founding import ROUND_S, Founding
from cluster.raft.wire import Found, FoundQuery, FoundState, Message

MEMBERS = ("a", "b", "c")


class Replica:
    """One replica's standing, and what it sends."""

    def __init__(self, name: str = "a", members: tuple[str, ...] = MEMBERS) -> None:
        self.identity = Identity(name, members=members)
        self.term = 0
        self.connected = frozenset(members) - {name}
        self.sent: list[tuple[str, Message]] = []
        self.pending: Identity | None = None
        self.events: list[str] = []
        self.founding = Founding(
            current=lambda: self.identity,
            term=lambda: self.term,
            connected=lambda: self.connected,
            send=self.send,
            adopt=self.adopt,
            new_cluster_id=lambda: "new",
            report=lambda event, _: self.events.append(event),
        )

    def send(self, peer: str, message: Message) -> bool:
        """Note it."""
        self.sent.append((peer, message))
        return True

    def adopt(self, identity: Identity) -> None:
        """Begin to write an identity."""
        assert self.pending is None, "one at a time"
        self.pending = identity

    def written(self) -> None:
        """The identity is on disk."""
        assert self.pending is not None
        self.identity, self.pending = self.pending, None

    def ask(self, now_s: float = 0.0) -> int:
        """Begin a round; return its number."""
        self.founding.tick(now_s)
        (_, query) = self.sent[-1]
        assert isinstance(query, FoundQuery)
        return query.round


def test_a_cluster_of_one_founds_itself() -> None:
    """There is nobody to ask."""
    replica = Replica(members=("a",))
    replica.founding.tick(0.0)
    replica.written()

    assert replica.identity == Identity("a", "new", 1, ("a",), Standing.MEMBER)


def test_only_the_first_member_asks() -> None:
    """Two that found at once would make two clusters."""
    replica = Replica("b")
    replica.founding.tick(0.0)

    assert replica.sent == []


def test_nobody_is_asked_before_all_are_reachable() -> None:
    """An answer that is missing may be the one that matters."""
    replica = Replica()
    replica.connected = frozenset({"b"})
    replica.founding.tick(0.0)
    assert replica.sent == []
    replica.connected = frozenset({"b", "c"})
    replica.founding.tick(0.0)

    assert replica.sent == [("b", FoundQuery(1)), ("c", FoundQuery(1))]


def test_when_all_are_empty_the_first_founds() -> None:
    """Every answer of one round, and no other, says so."""
    replica = Replica()
    number = replica.ask()
    replica.founding.on_state("b", FoundState(number, "", 0))
    assert replica.pending is None
    replica.founding.on_state("c", FoundState(number, "", 0))
    replica.written()

    assert replica.identity.standing is Standing.MEMBER
    assert replica.identity.cluster_id == "new"


def test_answers_of_an_earlier_round_count_nothing() -> None:
    """A peer may have joined a cluster since."""
    replica = Replica()
    old = replica.ask(0.0)
    replica.founding.on_state("b", FoundState(old, "", 0))
    new = replica.ask(ROUND_S)
    replica.founding.on_state("c", FoundState(old, "", 0))
    replica.founding.on_state("c", FoundState(new, "", 0))

    assert new == old + 1
    assert replica.pending is None


def test_rounds_are_paced() -> None:
    """Waiting for a member must not be a flood."""
    replica = Replica()
    for now_s in (0.0, 0.01, 0.1, 0.19):
        replica.founding.tick(now_s)
    assert len(replica.sent) == 2
    replica.founding.tick(0.2)

    assert len(replica.sent) == 4


@pytest.mark.parametrize(
    "answer", [FoundState(1, "other", 0), FoundState(1, "other", 3)]
)
def test_nothing_is_founded_beside_a_cluster(answer: FoundState) -> None:
    """One member that is not empty has something to lose."""
    replica = Replica()
    replica.ask()
    replica.founding.on_state("b", FoundState(1, "", 0))
    replica.founding.on_state("c", answer)

    assert replica.pending is None


def test_a_term_without_a_cluster_forbids_founding() -> None:
    """Somebody has voted before."""
    replica = Replica()
    replica.ask()
    replica.founding.on_state("b", FoundState(1, "", 0))
    replica.founding.on_state("c", FoundState(1, "", 2))

    assert replica.pending is None


def founder() -> Replica:
    """Return a replica that has founded and not elected."""
    replica = Replica()
    replica.identity = Identity("a", "c1", 1, MEMBERS, Standing.MEMBER)
    return replica


def test_a_founder_lets_the_empty_ones_in() -> None:
    """With full rights, as long as nobody has elected."""
    replica = founder()
    number = replica.ask()
    replica.sent.clear()
    replica.founding.on_state("b", FoundState(number, "", 0))
    replica.founding.on_state("c", FoundState(number, "c1", 0))

    assert replica.sent == [("b", Found("c1", ["a", "b", "c"]))]


def test_a_founder_lets_nobody_in_once_somebody_elected() -> None:
    """An empty disk may be the wiped one of a voter: it comes in by catching up."""
    replica = founder()
    number = replica.ask()
    replica.sent.clear()
    replica.founding.on_state("b", FoundState(number, "", 0))
    replica.founding.on_state("c", FoundState(number, "c1", 1))
    assert replica.sent == []
    replica.term = 1
    replica.founding.tick(10.0)

    assert replica.sent == []


def test_a_founder_lets_nobody_in_beside_another_cluster() -> None:
    """Two were founded: people must decide."""
    replica = founder()
    number = replica.ask()
    replica.sent.clear()
    replica.founding.on_state("b", FoundState(number, "", 0))
    replica.founding.on_state("c", FoundState(number, "other", 0))

    assert replica.sent == []


def test_an_empty_replica_believes_who_founded_it() -> None:
    """It is a member from the moment that this is on its disk."""
    replica = Replica("b")
    replica.founding.on_found("a", Found("c1", ["c", "a", "b"]))
    replica.written()

    assert replica.identity == Identity("b", "c1", 1, MEMBERS, Standing.MEMBER)
    assert replica.events == ["founded"]


def test_it_is_not_founded_into_another_member_list() -> None:
    """Its own says who its voters are."""
    replica = Replica("b")
    replica.founding.on_found("a", Found("c1", ["a", "b"]))

    assert replica.pending is None


def test_a_member_is_founded_no_second_time() -> None:
    """It has a cluster."""
    replica = founder()
    replica.founding.on_found("b", Found("c2", ["a", "b", "c"]))
    replica.founding.on_cluster_seen("c2", 5)

    assert replica.pending is None


def test_an_empty_replica_joins_a_cluster_that_has_elected() -> None:
    """Without a vote until it has caught up."""
    replica = Replica("b")
    replica.founding.on_cluster_seen("c1", 0)
    replica.founding.on_cluster_seen("", 3)
    assert replica.pending is None
    replica.founding.on_cluster_seen("c1", 1)
    replica.written()

    assert replica.identity.standing is Standing.JOINING


def test_what_is_on_its_way_to_the_disk_is_not_changed() -> None:
    """Founded, and a moment later joining, would write two truths."""
    replica = Replica("b")
    replica.founding.on_found("a", Found("c1", ["a", "b", "c"]))
    replica.founding.on_cluster_seen("c1", 1)
    replica.founding.on_found("a", Found("c2", ["a", "b", "c"]))
    replica.written()

    assert replica.identity.cluster_id == "c1"
    assert replica.identity.standing is Standing.MEMBER


def test_a_query_is_answered_as_things_stand_now() -> None:
    """Cluster id and term, freshly."""
    replica = founder()
    replica.founding.on_query("b", FoundQuery(7))
    replica.term = 4
    replica.founding.on_query("b", FoundQuery(8))

    states = [FoundState(7, "c1", 0), FoundState(8, "c1", 4)]
    assert [message for _, message in replica.sent] == states
