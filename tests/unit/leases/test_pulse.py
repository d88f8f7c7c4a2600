"""A replica is able while proofs of life could be taken through it."""

from dataclasses import replace

import pytest

from registry.leases.clock import LeaseClock
from registry.leases.pulse import Pulse
from registry.ports import ClusterView, MemberView
from tests.support.fake_clock import FakeClock
from tests.support.fake_consensus import LEADING

FOLLOWING = replace(LEADING, role="follower", leader="b", contact_age_s=0.05)


def _counted_s(view: ClusterView) -> float:
    """Return how much of two seconds counts under this view."""
    clock, lease_clock = FakeClock(), LeaseClock()
    pulse = Pulse(lease_clock, clock, lambda: view)
    for _ in range(41):
        pulse.observe()
        clock.advance(0.05)
    return lease_clock.read(clock.now_s() - 0.05)


def _leader(*ages_s: float | None) -> ClusterView:
    others = tuple(MemberView(f"o{n}", "", True, 0, a) for n, a in enumerate(ages_s))
    return replace(LEADING, members=(LEADING.members[0], *others))


def test_a_leader_that_hears_a_majority_is_able() -> None:
    """Itself counts."""
    assert _counted_s(_leader(0.1, None)) > 1.9
    assert _counted_s(_leader()) > 1.9


def test_a_leader_that_hears_no_majority_is_not() -> None:
    """It could not commit a renewal."""
    assert _counted_s(_leader(0.4, None)) == 0.0


def test_a_follower_is_able_by_its_leader() -> None:
    """As long as it hears it, and knows one."""
    assert _counted_s(FOLLOWING) > 1.9
    assert _counted_s(replace(FOLLOWING, contact_age_s=0.4)) == 0.0
    assert _counted_s(replace(FOLLOWING, contact_age_s=None)) == 0.0
    assert _counted_s(replace(FOLLOWING, leader=None)) == 0.0


def test_what_is_not_caught_up_or_has_no_disk_is_not_able() -> None:
    """Writes are refused."""
    assert _counted_s(replace(LEADING, caught_up=False)) == 0.0
    assert _counted_s(replace(LEADING, degraded=("disk_low",))) == 0.0


def test_a_commit_index_that_does_not_move_is_a_stall() -> None:
    """What was counted until it was noticed is a debt, so little is left."""
    assert _counted_s(replace(LEADING, commit_index=5, last_index=9)) <= 0.25


@pytest.mark.parametrize("idle_s", [0.1, 0.5, 0.9])
def test_what_a_leader_without_a_majority_let_pass_does_not_count(
    idle_s: float,
) -> None:
    """It was heard all the while, and nobody could know: the next one takes it back.

    All since the last commit, and no more: a dead instance must not stay for it.
    """
    clock, lease_clock = FakeClock(), LeaseClock()
    views = [FOLLOWING]
    pulse = Pulse(lease_clock, clock, lambda: views[-1])

    def go_on(seconds: float, *, commits: bool = False) -> None:
        for _ in range(round(seconds / 0.05)):
            index = views[-1].commit_index + commits
            views[:] = [
                replace(
                    views[-1], commit_index=index, applied_index=index, last_index=index
                )
            ]
            pulse.observe()
            clock.advance(0.05)

    go_on(5.0, commits=True)
    committed_s = lease_clock.read(clock.now_s())
    go_on(idle_s)
    views[:] = [replace(_leader(0.0), term=FOLLOWING.term + 1)]
    go_on(2.0)

    counted_s = lease_clock.read(clock.now_s()) - committed_s
    assert 2.0 - 0.2 <= counted_s <= 2.0 + 1e-6


def test_a_moment_without_a_leader_costs_that_moment() -> None:
    """Not the most that could ever be owed: the dead would stay in the list for it."""
    clock, lease_clock = FakeClock(), LeaseClock()
    views = [FOLLOWING]
    pulse = Pulse(lease_clock, clock, lambda: views[-1])
    for n in range(100):
        if n == 50:
            views[:] = [replace(FOLLOWING, leader=None, contact_age_s=0.06)]
        elif n == 52:
            views[:] = [FOLLOWING]
        pulse.observe()
        clock.advance(0.05)

    assert 4.7 <= lease_clock.read(clock.now_s()) <= 4.95
