"""Elections: rounds of pre-votes, each rule by itself."""

import pytest

from cluster.raft.wire import NewerTerm, PreVote, PreVoteGranted
from tests.unit.raft.candidate import ELECTION_MIN_S, Candidate


def test_a_deadline_that_passed_is_a_question_not_an_election() -> None:
    """Every peer is asked; the library does not campaign."""
    candidate = Candidate()
    number = candidate.begin()

    question = PreVote(number, 5, 2, 3)
    assert candidate.said == [("b", question), ("c", question)]
    assert not candidate.core.campaigns
    assert candidate.core.raftCurrentTerm == 4


def test_with_a_majority_it_campaigns_in_the_next_tick() -> None:
    """One of two peers is enough for three."""
    candidate = Candidate()
    number = candidate.begin()
    candidate.election.on_granted("b", PreVoteGranted(number))
    candidate.election.before_tick()

    assert candidate.core.campaigns


def test_the_same_peer_twice_is_no_majority() -> None:
    """Of five, two more are needed."""
    candidate = Candidate("bcde")
    number = candidate.begin()
    for _ in range(3):
        candidate.election.on_granted("b", PreVoteGranted(number))
    candidate.election.before_tick()
    assert not candidate.core.campaigns
    candidate.election.on_granted("c", PreVoteGranted(number))
    candidate.election.before_tick()

    assert candidate.core.campaigns


def test_a_grant_of_another_round_counts_nothing() -> None:
    """The world has changed since."""
    candidate = Candidate()
    old = candidate.begin()
    candidate.clock.advance(1.0)
    candidate.begin()
    candidate.election.on_granted("b", PreVoteGranted(old))
    candidate.election.before_tick()

    assert not candidate.core.campaigns


def test_a_leader_that_shows_itself_voids_the_round() -> None:
    """Also one that was won already."""
    candidate = Candidate()
    number = candidate.begin()
    candidate.election.on_granted("b", PreVoteGranted(number))
    candidate.election.leader_heard()
    candidate.election.before_tick()

    assert not candidate.core.campaigns


def test_rounds_come_at_random_intervals() -> None:
    """Two candidates must not disturb each other for ever."""
    candidate = Candidate()
    gaps = []
    for _ in range(20):
        candidate.begin()
        deadline = vars(candidate.core)["_SyncObj__raftElectionDeadline"]
        gaps.append(deadline - candidate.clock.now_s())

    assert all(ELECTION_MIN_S / 2 - 0.001 < gap <= ELECTION_MIN_S for gap in gaps)
    assert len({round(gap, 4) for gap in gaps}) > 15


def test_who_may_not_campaign_asks_nobody() -> None:
    """Joining, stopping, or out of disk."""
    candidate = Candidate()
    candidate.may_campaign = False
    candidate.core.expire()
    candidate.election.before_tick()

    assert candidate.said == []
    assert not candidate.core.campaigns


def test_a_transfer_needs_no_question() -> None:
    """The leader itself asked for the election."""
    candidate = Candidate()
    vars(candidate.core)["_SyncObj__transferInProgress"] = True
    candidate.core.expire()
    candidate.election.before_tick()

    assert candidate.said == []
    assert candidate.core.campaigns


GOOD = PreVote(9, 5, 2, 3)


def test_a_candidate_as_good_as_we_are_is_granted() -> None:
    """When no leader was heard lately."""
    voter = Candidate()
    voter.leader_age_s = ELECTION_MIN_S
    voter.election.on_pre_vote("b", GOOD)

    assert voter.said == [("b", PreVoteGranted(9))]


@pytest.mark.parametrize(
    ("last_term", "last_index", "granted"),
    [(2, 2, False), (1, 9, False), (2, 4, True), (3, 1, True)],
)
def test_only_a_log_as_new_as_ours_is_granted(
    last_term: int, last_index: int, granted: bool
) -> None:
    """The same comparison as for a vote: else the vote would be refused."""
    voter = Candidate()
    voter.election.on_pre_vote("b", PreVote(9, 5, last_term, last_index))

    assert bool(voter.said) is granted


def test_of_two_who_ask_at_once_the_first_by_id_goes_first() -> None:
    """Its own round goes on; the other gets its vote, and asks again later."""
    first, second = Candidate(), Candidate("ac", node_id="b")
    mine, theirs = first.begin(), second.begin()
    first.said.clear()
    first.election.on_pre_vote("b", PreVote(theirs, 5, 2, 3))
    second.election.on_pre_vote("a", PreVote(mine, 5, 2, 3))
    second.election.on_granted("c", PreVoteGranted(theirs))
    second.election.before_tick()

    assert first.said == []
    assert second.said[-1] == ("a", PreVoteGranted(mine))
    assert not second.core.campaigns


def test_a_round_that_was_not_won_soon_lets_the_others_go_first() -> None:
    """Who reaches nobody must not keep them from electing."""
    candidate = Candidate()
    candidate.begin()
    candidate.clock.advance(ELECTION_MIN_S / 4)
    candidate.election.on_pre_vote("b", GOOD)

    assert candidate.said[-1] == ("b", PreVoteGranted(9))


def test_who_granted_waits_with_its_own_question() -> None:
    """Asking at once would only split the vote."""
    voter = Candidate()
    voter.core.expire()
    voter.election.on_pre_vote("b", GOOD)
    voter.said.clear()
    voter.election.before_tick()

    assert voter.said == []


def test_it_waits_once_for_who_asks_in_vain() -> None:
    """A peer that hears no answers would else keep it waiting for ever."""
    voter = Candidate()
    voter.election.on_pre_vote("b", GOOD)
    voter.clock.advance(ELECTION_MIN_S)
    voter.election.on_pre_vote("b", GOOD)
    voter.said.clear()
    voter.election.before_tick()

    assert isinstance(voter.said[0][1], PreVote)


def test_the_better_log_asks_soon_when_a_worse_one_does() -> None:
    """Nobody leads, and the other cannot win: its own deadline may be far."""
    voter = Candidate()
    vars(voter.core)["_SyncObj__raftElectionDeadline"] = voter.clock.now_s() + 9.0
    voter.election.on_pre_vote("b", PreVote(9, 5, 2, 2))
    voter.clock.advance(0.15)
    voter.election.before_tick()

    assert isinstance(voter.said[0][1], PreVote)


def test_nobody_is_granted_while_a_leader_is_heard() -> None:
    """Leader stickiness; and a leader itself hears itself."""
    voter = Candidate()
    voter.leader_age_s = ELECTION_MIN_S - 0.01
    voter.election.on_pre_vote("b", GOOD)
    voter.leader_age_s = None
    voter.core.leads = True
    voter.election.on_pre_vote("b", GOOD)

    assert voter.said == []


def test_nobody_is_granted_by_one_that_may_not_vote() -> None:
    """Its former self may have voted otherwise."""
    voter = Candidate()
    voter.may_vote = False
    voter.election.on_pre_vote("b", GOOD)

    assert voter.said == []


def test_a_candidate_of_an_old_term_is_told_the_newer() -> None:
    """It would ask for ever, and never be heard."""
    voter = Candidate()
    voter.election.on_pre_vote("b", PreVote(9, 4, 2, 3))

    assert voter.said == [("b", NewerTerm(4, to_append=False))]


def test_a_newer_term_is_adopted_by_a_follower() -> None:
    """With no vote in it."""
    replica = Candidate()
    replica.election.on_newer_term("b", NewerTerm(7, to_append=False))

    assert (replica.core.raftCurrentTerm, replica.core.voted_for) == (7, None)


def test_an_old_term_changes_nothing() -> None:
    """A late answer."""
    replica = Candidate()
    replica.core.leads = True
    for term in (3, 4):
        replica.election.on_newer_term("b", NewerTerm(term, to_append=True))

    assert replica.core.leads
    assert replica.core.raftCurrentTerm == 4


def test_a_leader_steps_down_when_a_follower_refuses_its_append() -> None:
    """It cannot reach that follower in this term any more."""
    replica = Candidate()
    replica.core.leads = True
    replica.election.on_newer_term("b", NewerTerm(7, to_append=True))

    assert not replica.core.leads
    assert replica.core.raftCurrentTerm == 7
