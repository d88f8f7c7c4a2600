"""What a caller is told is true: refused was never in the log, unknown may be."""

from dataclasses import replace

import pytest

from cluster.config import Limits
from cluster.errors import NoLeader, OutcomeUnknown, Overloaded, Stopping
from cluster.flight import Verdict
from tests.support.virtual import virtually
from tests.unit.cluster.submissions import Submissions, now_s, pass_s, turns


@virtually
async def test_a_refused_batch_is_dissolved_and_proposed_again() -> None:
    """It was never in the log, so others may join it, under a number of its own; it
    waits a moment, for an election takes one.
    """
    to = Submissions()
    future = to.batcher.propose(b"x", 1.0)
    await turns()
    to.say(Verdict.REFUSED)
    to.batcher.propose(b"y", 1.0)
    await turns()
    assert len(to.payloads) == 1
    await pass_s(0.02)

    assert to.batch().commands == [b"x", b"y"]
    assert to.batch().number == 2
    to.done(5)
    assert (await future).index == 5


@virtually
async def test_a_refused_callers_command_is_never_in_the_log() -> None:
    """It was told NoLeader, so it may try elsewhere: nobody may propose it later."""
    to = Submissions()
    early = to.batcher.propose(b"early", 0.05)
    late = to.batcher.propose(b"late", 1.0)
    await turns()
    while not early.done():
        to.say(Verdict.REFUSED)
        await pass_s(0.011)
    with pytest.raises(NoLeader, match="until the deadline"):
        await early
    to.say(Verdict.REFUSED)
    await pass_s(0.02)

    assert to.batch().commands == [b"late"]
    to.done(3)
    assert (await late).outcome == b"did late"


@virtually
async def test_a_command_under_way_at_its_deadline_is_unknown() -> None:
    """The attempt is open: it may be in the log."""
    to = Submissions()
    future = to.batcher.propose(b"x", 0.2)
    await pass_s(0.3)

    with pytest.raises(OutcomeUnknown):
        await future


@virtually
async def test_a_deadline_is_kept_within_one_sweep() -> None:
    """A caller has plans of its own."""
    to = Submissions()
    future = to.batcher.propose(b"x", 0.2)
    with pytest.raises(OutcomeUnknown):
        await future

    assert 0.2 <= now_s() < 0.23


@virtually
async def test_an_unknown_batch_is_proposed_again_as_it_was() -> None:
    """Same number, same commands: the ledger applies one of the copies."""
    to = Submissions()
    future = to.batcher.propose(b"x", 1.0)
    await turns()
    to.say(Verdict.UNKNOWN)
    to.batcher.propose(b"y", 1.0)
    await pass_s(0.02)

    assert to.payloads[1] == to.payloads[0]
    to.done(4)
    assert (await future).index == 4


@virtually
async def test_a_refusal_after_an_unknown_attempt_proves_nothing() -> None:
    """The first attempt may be in the log: the batch stays whole, its end unknown."""
    to = Submissions()
    future = to.batcher.propose(b"x", 0.2)
    await turns()
    to.say(Verdict.UNKNOWN)
    for _ in range(8):
        await pass_s(0.02)
        to.say(Verdict.REFUSED)
    assert set(to.payloads) == {to.payloads[0]}
    await pass_s(0.1)

    with pytest.raises(OutcomeUnknown):
        await future


@virtually
async def test_an_attempt_without_answer_is_repeated() -> None:
    """A forwarded command may never be answered: the library forgets it."""
    to = Submissions()
    future = to.batcher.propose(b"x", 5.0)
    await pass_s(1.1)

    assert to.payloads == [to.payloads[0]] * 2
    assert to.forgotten == [0]
    to.done(4)
    assert (await future).index == 4


@virtually
async def test_a_late_answer_of_an_earlier_attempt_is_ignored() -> None:
    """A refusal of the first attempt says nothing of the second."""
    to = Submissions()
    future = to.batcher.propose(b"x", 5.0)
    await pass_s(1.1)
    to.say(Verdict.REFUSED, 0)
    await pass_s(0.1)

    assert len(to.payloads) == 2
    assert not future.done()


@virtually
async def test_a_change_of_leader_repeats_the_attempt_at_once() -> None:
    """What the former leader had may be lost; waiting would cost a second."""
    to = Submissions()
    to.batcher.propose(b"x", 5.0)
    await turns()
    to.batcher.leader_changed()
    await turns()

    assert to.payloads == [to.payloads[0]] * 2


@virtually
async def test_a_change_of_leader_ends_the_pause_after_a_refusal() -> None:
    """There is somebody to ask now."""
    to = Submissions()
    to.batcher.propose(b"x", 5.0)
    await turns()
    to.say(Verdict.REFUSED)
    to.batcher.leader_changed()
    await turns()

    assert len(to.payloads) == 2


@virtually
async def test_a_barrier_at_its_deadline_is_never_unknown() -> None:
    """It changes nothing, so a retry is always safe."""
    to = Submissions()
    barrier = to.batcher.barrier(0.2)
    await pass_s(0.3)

    with pytest.raises(NoLeader):
        await barrier


@virtually
async def test_a_full_queue_of_the_leader_is_overload() -> None:
    """Waiting and asking again would make it worse."""
    to = Submissions()
    future = to.batcher.propose(b"x", 5.0)
    await turns()
    to.say(Verdict.OVERLOADED)

    with pytest.raises(Overloaded, match="leader's queue"):
        await future


@virtually
async def test_once_nobody_waits_the_next_batch_goes_ahead() -> None:
    """A batch that may never be answered must not hold up the others."""
    to = Submissions()
    given_up = to.batcher.propose(b"x", 0.1)
    await turns()
    to.batcher.propose(b"y", 5.0)
    await pass_s(0.2)

    assert isinstance(given_up.exception(), OutcomeUnknown)
    assert to.batch().commands == [b"y"]
    assert to.batch().number == 2


@virtually
async def test_at_the_end_everybody_is_answered() -> None:
    """Whoever was proposed may be in the log, whoever waits is not."""
    to = Submissions(replace(Limits(), entry_commands=1))
    under_way = to.batcher.propose(b"x", 60.0)
    waiting = to.batcher.propose(b"y", 60.0)
    await turns()
    to.batcher.close()
    to.batcher.abandon()

    assert isinstance(under_way.exception(), OutcomeUnknown)
    assert isinstance(waiting.exception(), Stopping)
    assert to.batcher.is_idle


@virtually
async def test_an_answer_to_callers_that_went_away_harms_nobody() -> None:
    """A callback that raised would cost the entry's other callers, or the replica."""
    to = Submissions()
    gone = to.batcher.propose(b"gone", 1.0)
    there = to.batcher.propose(b"there", 1.0)
    await turns()
    gone.cancel()
    to.done(2)

    assert (await there).outcome == b"did there"
