"""Replicas prove to each other that their states are equal, or stop (I1)."""

from cluster.ledger import INTERNAL_REFUSAL
from cluster.raft.divergence import Divergence
from tests.scenarios.support_stage import Stage


class Trusting(Divergence):
    """Without the check: equal logs are taken for equal states."""

    def leader_said(self, index: int, crc: int) -> None:
        """Compare nothing."""


async def _play(*lacking: type) -> Stage:
    """B's machine answers one command differently."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage["b"].machine.wrong[b"5"] = b"other"
    for number in range(20):
        stage["a"].propose(b"%d" % number)
    stage.run()
    stage["a"].node.gateway.tell_everybody()
    stage.run()
    return stage


async def test_a_replica_whose_state_differs_stops() -> None:
    """It must not answer from it, nor ever lead with it."""
    stage = await _play()

    assert stage["b"].died.startswith("diverged: at index 16")
    assert stage["c"].node.divergence.compared == 1
    assert stage["c"].died == ""


async def test_without_the_check_it_goes_on_serving() -> None:
    """The defect: wrong answers for ever, and from a leader one day."""
    stage = await _play(Trusting)

    assert stage["b"].died == ""
    assert stage["b"].node.ledger.crc != stage["c"].node.ledger.crc


async def test_a_crc_ahead_of_us_is_compared_when_we_get_there() -> None:
    """A follower behind must not be excused."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage["b"].node.divergence.leader_said(16, 12345)
    for number in range(20):
        stage["a"].propose(b"poison%d" % number)
    stage.run()

    assert stage["b"].died.startswith("diverged: at index 16")
    assert stage["c"].node.ledger.refusals == 20
    assert INTERNAL_REFUSAL == b"\x91\x01"
