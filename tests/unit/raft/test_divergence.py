"""Divergence: equal CRCs at equal indexes, or the replica stops."""

from collections import OrderedDict

import pytest

from cluster.ledger import CHECK_EVERY, Ledger
from cluster.raft.divergence import MAX_EXPECTED, Divergence
from tests.scenarios.support_hands import Died, Notebook, die


def checked(crcs: dict[int, int]) -> tuple[Ledger, Divergence]:
    """Return a ledger that has these CRCs, and its judge."""
    ledger = Ledger(Notebook())
    ledger.checks = OrderedDict(crcs)
    ledger.index = max(crcs, default=1)
    return ledger, Divergence(ledger, die)


def test_equal_crcs_prove_equal_states() -> None:
    """A comparison that was made is counted: one never made proves nothing."""
    _, divergence = checked({16: 5, 32: 7})
    divergence.leader_said(16, 5)
    divergence.leader_said(32, 7)

    assert divergence.compared == 2


def test_a_different_crc_stops_the_replica() -> None:
    """It must answer nobody from such a state."""
    _, divergence = checked({16: 5})

    with pytest.raises(Died, match="at index 16 our CRC is 5, the leader's 6"):
        divergence.leader_said(16, 6)


def test_an_index_ahead_is_compared_when_it_is_applied() -> None:
    """A follower is always a little behind."""
    ledger, divergence = checked({16: 5})
    divergence.leader_said(32, 8)
    assert divergence.compared == 0
    ledger.checks[32] = 9

    with pytest.raises(Died, match="diverged"):
        divergence.applied(32)


def test_an_index_long_passed_is_not_compared() -> None:
    """Its CRC is forgotten, or was never kept."""
    _, divergence = checked({32: 7})
    divergence.leader_said(16, 1)
    divergence.leader_said(0, 0)

    assert divergence.compared == 0


def test_what_is_expected_is_bounded() -> None:
    """A follower far behind compares the newest."""
    ledger, divergence = checked({})
    last = CHECK_EVERY * (MAX_EXPECTED + 1)
    for index in range(CHECK_EVERY, last + 1, CHECK_EVERY):
        divergence.leader_said(index, 1)
        ledger.checks[index] = 1
    divergence.applied(CHECK_EVERY)
    assert divergence.compared == 0
    divergence.applied(last)

    assert divergence.compared == 1


def test_the_newest_check_is_told_to_others() -> None:
    """Before the first there is none."""
    assert checked({})[1].newest() == (0, 0)
    assert checked({16: 5, 32: 7})[1].newest() == (32, 7)
