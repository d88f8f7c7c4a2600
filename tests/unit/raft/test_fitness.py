"""Fitness: who may lead, and whom it asks when it should not."""

from types import SimpleNamespace
from typing import Any

import pytest

from cluster.config import Timing
from cluster.identity import Identity, Standing
from cluster.raft import library
from cluster.raft.fitness import ASK_EVERY_S, DISK_HANGS_S, Fitness
from tests.scenarios.support_hands import Died, HandClock, die

TIMING = Timing()
MEMBER = Identity("a", "c1", 1, ("a", "b", "c"), Standing.MEMBER)


def _some(**fields: object) -> Any:
    return SimpleNamespace(**fields)


class Replica:
    """What fitness looks at, and whom it asks to lead."""

    def __init__(self, peers: tuple[str, ...] = ("b", "c")) -> None:
        self.clock = HandClock()
        library.install(self.clock.now_s)
        self.standing = Standing.MEMBER
        self.disk_low = False
        self.leader_age_s: float | None = 0.0
        self.busy_s = 0.0
        self.quorum_heard_s = self.clock.now_s()
        self.asked: list[str] = []
        self.hung_up: list[str] = []
        self.able = {"b", "c"}
        self.core = _some(
            is_leader=True,
            hand_over_to=self.hand_over_to,
            step_down=self.step_down,
            quorum_heard_s=lambda: self.quorum_heard_s,
        )
        writer = _some(busy_s=lambda: self.busy_s)
        self.fitness = Fitness(
            self.core,
            writer,
            TIMING,
            peers,
            identity=self.identity,
            disk_low=lambda: self.disk_low,
            leader_age_s=lambda: self.leader_age_s,
            hang_up=self.hung_up.append,
            fatal=die,
        )

    def identity(self) -> Identity:
        """Return who it is."""
        return Identity("a", "c1", 1, MEMBER.members, self.standing)

    def hand_over_to(self, peer: str) -> bool:
        """Note it."""
        self.asked.append(peer)
        return peer in self.able

    def step_down(self) -> None:
        """Stop leading."""
        self.core.is_leader = False


@pytest.mark.parametrize("standing", [Standing.EMPTY, Standing.JOINING])
def test_who_is_no_member_neither_votes_nor_campaigns(standing: Standing) -> None:
    """See founding."""
    replica = Replica()
    replica.standing = standing

    assert not replica.fitness.may_vote()
    assert not replica.fitness.may_campaign()


@pytest.mark.parametrize("why", ["disk_low", "stopping"])
def test_who_is_unfit_does_not_campaign_while_somebody_leads(why: str) -> None:
    """It votes: that costs nothing."""
    replica = Replica()
    replica.disk_low = why == "disk_low"
    replica.fitness.is_stopping = why == "stopping"
    assert replica.fitness.may_vote()
    assert not replica.fitness.may_campaign()
    replica.leader_age_s = 3 * TIMING.election_max_s + 0.1

    assert replica.fitness.may_campaign()  # it may be the only one with the whole log


def test_a_stuck_disk_never_campaigns() -> None:
    """It could not even write its vote."""
    replica = Replica()
    replica.busy_s = TIMING.election_max_s + 0.1
    replica.leader_age_s = 100.0

    assert not replica.fitness.may_campaign()


def test_a_leader_whose_disk_is_stuck_steps_down() -> None:
    """It would hold up every write."""
    replica = Replica()
    replica.busy_s = TIMING.election_max_s - 0.1
    replica.fitness.check_disk()
    assert replica.core.is_leader
    replica.busy_s = TIMING.election_max_s + 0.1
    replica.fitness.check_disk()

    assert not replica.core.is_leader


def test_a_disk_that_is_stuck_for_good_ends_the_replica() -> None:
    """What waits for it only grows."""
    replica = Replica()
    replica.busy_s = DISK_HANGS_S + 1

    with pytest.raises(Died, match="has not answered for 31 s"):
        replica.fitness.check_disk()


def test_a_cluster_of_one_leads_whatever_happens() -> None:
    """There is nobody to hand over to."""
    replica = Replica(peers=())
    replica.disk_low = True
    replica.busy_s = 2.0
    replica.fitness.check_disk()
    replica.fitness.hand_over_if_unfit()

    assert replica.fitness.may_campaign()
    assert replica.core.is_leader
    assert replica.asked == []


def test_a_fit_leader_asks_nobody() -> None:
    """The lead is not passed around."""
    replica = Replica()
    replica.fitness.hand_over_if_unfit()

    assert replica.asked == []


def test_an_unfit_leader_asks_the_first_that_can() -> None:
    """One at a time, or two would campaign against each other."""
    replica = Replica()
    replica.disk_low, replica.able = True, {"c"}
    replica.fitness.hand_over_if_unfit()
    assert replica.asked == ["b", "c"]
    replica.fitness.hand_over_if_unfit()

    assert replica.asked == ["b", "c"]


def test_it_asks_the_next_one_after_a_while() -> None:
    """The one that was asked may be unfit itself."""
    replica = Replica()
    replica.fitness.is_stopping = True
    for _ in range(3):
        replica.fitness.hand_over_if_unfit()
        replica.clock.advance(ASK_EVERY_S)

    assert replica.asked == ["b", "c", "b"]


def _deaf_for(replica: Replica, silent_s: float) -> bool:
    replica.clock.advance(silent_s)
    replica.fitness.step_down_if_deaf()
    return not replica.core.is_leader


def test_a_leader_that_no_majority_answers_steps_down() -> None:
    """It may be heard all the same, and then nobody else would stand for election."""
    replica = Replica()

    assert not _deaf_for(replica, TIMING.leader_fallback_s - 0.01)
    assert not _deaf_for(replica, 0.02)
    assert _deaf_for(replica, TIMING.append_period_s + 0.001)
    assert replica.hung_up == ["b", "c"]


def test_a_leader_that_stood_still_reads_its_answers_first() -> None:
    """They lay there while the process was stopped."""
    replica = Replica()
    assert not _deaf_for(replica, 60.0)
    replica.quorum_heard_s = replica.clock.now_s()
    assert not _deaf_for(replica, TIMING.append_period_s + 0.001)
    replica.quorum_heard_s -= 60.0
    assert not _deaf_for(replica, 0.0)

    assert replica.core.is_leader


def test_a_cluster_of_one_is_never_deaf() -> None:
    """There is nobody who could answer."""
    replica = Replica(peers=())

    assert not any(_deaf_for(replica, 60.0) for _ in range(3))
