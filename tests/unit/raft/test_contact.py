"""Contact: whom a replica follows, since when in silence, and whether it caught up."""

from types import SimpleNamespace
from typing import Any

from cluster.raft import library
from cluster.raft.contact import Contact
from tests.scenarios.support_hands import HandClock


def _some(**fields: object) -> Any:
    return SimpleNamespace(**fields)


class Follower:
    """What contact looks at."""

    def __init__(self) -> None:
        self.clock = HandClock()
        library.install(self.clock.now_s)
        self.core = _some(
            leader=None,
            is_leader=False,
            raftCurrentTerm=0,
            raftLastApplied=1,
            applied_term=0,
        )
        self.transport = _some(contact=(0, 0), last_append_s=None)
        self.contact = Contact(self.core, self.transport)

    def applied(self, index: int, term: int) -> bool:
        """Apply up to an entry; return whether that is being caught up."""
        self.core.raftLastApplied, self.core.applied_term = index, term
        self.contact.note()
        return self.contact.caught_up


def test_a_change_is_told_once() -> None:
    """Of leader or of term."""
    follower = Follower()
    follower.core.leader, follower.core.raftCurrentTerm = "a", 1

    assert follower.contact.note() == ("a", 1)
    assert follower.contact.note() is None
    follower.core.raftCurrentTerm = 2
    assert follower.contact.note() == ("a", 2)
    follower.core.leader = None
    assert follower.contact.note() == (None, 2)


def test_caught_up_needs_an_entry_of_a_leader_that_was_heard() -> None:
    """Old entries of the own disk may be long outdated."""
    follower = Follower()
    assert not follower.applied(9, 3)
    follower.transport.contact = (4, 12)
    assert not follower.applied(11, 3)

    assert follower.applied(13, 4)


def test_caught_up_needs_all_that_was_committed_when_it_was_heard() -> None:
    """An entry of its term may lie on our own disk already, with more behind it."""
    follower = Follower()
    follower.transport.contact = (4, 20)
    assert not follower.applied(15, 4)

    assert follower.applied(20, 4)


def test_a_leader_has_caught_up_with_its_own_first_entry() -> None:
    """It has every committed entry, and applied those before it."""
    follower = Follower()
    follower.contact.led_term = 5
    assert not follower.applied(20, 4)

    assert follower.applied(21, 5)


def test_caught_up_never_goes_back() -> None:
    """The age of the contact says what has changed since (I10)."""
    follower = Follower()
    follower.transport.contact = (4, 2)
    assert follower.applied(3, 4)
    follower.transport.contact = (6, 90)

    assert follower.applied(4, 4)


def test_the_age_of_the_contact_is_none_before_the_first() -> None:
    """Zero while leading: a leader is its own contact."""
    follower = Follower()
    assert follower.contact.leader_age_s() is None
    follower.transport.last_append_s = follower.clock.now_s()
    follower.clock.advance(0.25)
    age_s = follower.contact.leader_age_s()
    assert age_s is not None
    assert 0.25 <= age_s < 0.26
    follower.core.is_leader = True

    assert follower.contact.leader_age_s() == 0.0
