"""The batcher gathers what waits, and sees each batch to its end."""

import asyncio
from dataclasses import replace

import pytest

from cluster.config import Limits
from cluster.errors import Overloaded, Stopping, TooLarge
from tests.support.virtual import virtually
from tests.unit.cluster.submissions import INCARNATION, Submissions, turns


@virtually
async def test_what_waits_together_makes_up_one_batch() -> None:
    """One entry, one sync, for as many callers as there are."""
    to = Submissions()
    for command in (b"x", b"y", b"z"):
        to.batcher.propose(command, 1.0)
    await turns()

    assert len(to.payloads) == 1
    batch = to.batch()
    assert (batch.replica, batch.incarnation, batch.number) == ("a", INCARNATION, 1)
    assert batch.commands == [b"x", b"y", b"z"]
    assert batch.schema == 3


@virtually
async def test_each_caller_gets_its_own_place_and_outcome() -> None:
    """Positions order commands of one entry; the index is the entry's."""
    to = Submissions()
    futures = [to.batcher.propose(command, 1.0) for command in (b"x", b"y")]
    await turns()
    to.done(7)
    answers = [await future for future in futures]

    assert [answer.outcome for answer in answers] == [b"did x", b"did y"]
    assert [answer.position for answer in answers] == [7 * 256, 7 * 256 + 1]
    assert {answer.index for answer in answers} == {7}


@virtually
async def test_one_batch_is_under_way_at_a_time() -> None:
    """More entries in flight were measured slower, and would need an order."""
    to = Submissions()
    to.batcher.propose(b"x", 1.0)
    await turns()
    to.batcher.propose(b"y", 1.0)
    to.batcher.propose(b"z", 1.0)
    await turns()
    assert len(to.payloads) == 1
    to.done(2)
    await turns()

    assert to.batch().commands == [b"y", b"z"]
    assert to.batch().number == 2


@virtually
async def test_those_just_answered_can_join_the_next_batch() -> None:
    """The next batch leaves one turn of the loop after the answers."""
    to = Submissions()
    first = to.batcher.propose(b"x", 1.0)
    await turns()
    to.batcher.propose(b"waiting", 1.0)

    async def client() -> None:
        await first
        to.batcher.propose(b"again", 1.0)

    task = asyncio.get_running_loop().create_task(client())
    await turns()
    to.done(2)
    assert len(to.payloads) == 1
    await turns()
    await task

    assert to.batch().commands == [b"waiting", b"again"]


@virtually
async def test_a_batch_holds_so_many_commands_and_bytes() -> None:
    """A tick applies whole entries, so an entry must be small."""
    limits = replace(Limits(), entry_commands=3, entry_bytes=10)
    to = Submissions(limits)
    for command in (b"1", b"2", b"3", b"4", b"long-ish", b"longer"):
        to.batcher.propose(command, 1.0)
    await turns()
    taken = [to.batch().commands]
    for index in (2, 3):
        to.done(index)
        await turns()
        taken.append(to.batch().commands)

    assert taken == [[b"1", b"2", b"3"], [b"4", b"long-ish"], [b"longer"]]


@virtually
async def test_a_barrier_needs_no_place_in_the_entry() -> None:
    """All waiting readers share one entry, which may be empty."""
    to = Submissions()
    barriers = [to.batcher.barrier(1.0) for _ in range(1000)]
    await turns()
    to.done(9)

    assert to.batch().commands == []
    assert {(await barrier).index for barrier in barriers} == {9}


@virtually
async def test_too_large_a_command_is_refused_at_once() -> None:
    """A retry would not help."""
    to = Submissions(replace(Limits(), command_bytes=10))

    with pytest.raises(TooLarge, match="11 bytes are more than 10"):
        to.batcher.propose(b"x" * 11, 1.0)
    assert to.batcher.is_idle


@virtually
async def test_too_many_waiting_commands_are_refused_at_once() -> None:
    """The queue is bounded in number."""
    to = Submissions(replace(Limits(), waiting_commands=2))
    to.batcher.propose(b"x", 1.0)
    to.batcher.barrier(1.0)

    with pytest.raises(Overloaded, match="2 commands are waiting already"):
        to.batcher.propose(b"y", 1.0)
    with pytest.raises(Overloaded):
        to.batcher.barrier(1.0)


@virtually
async def test_too_many_waiting_bytes_are_refused_at_once() -> None:
    """The queue is bounded in memory, and what left it makes room again."""
    to = Submissions(replace(Limits(), waiting_bytes=10))
    to.batcher.propose(b"x" * 8, 1.0)
    with pytest.raises(Overloaded):
        to.batcher.propose(b"y" * 3, 1.0)
    await turns()

    to.batcher.propose(b"y" * 10, 1.0)


@virtually
async def test_a_caller_that_went_away_before_it_was_proposed_is_left_out() -> None:
    """Nobody would hear of the outcome."""
    to = Submissions()
    gone = to.batcher.propose(b"gone", 1.0)
    to.batcher.propose(b"there", 1.0)
    gone.cancel()
    await turns()

    assert to.batch().commands == [b"there"]


@virtually
async def test_nothing_is_proposed_while_paused() -> None:
    """Leadership is being handed over: what is proposed now would only be lost."""
    to = Submissions()
    to.batcher.pause()
    future = to.batcher.propose(b"x", 1.0)
    await turns()
    assert to.payloads == []
    to.batcher.resume()
    await turns()
    to.done(2)

    assert (await future).index == 2


@virtually
async def test_a_closed_batcher_finishes_what_is_under_way() -> None:
    """The end of a replica: nothing new, but answers for those who asked before."""
    to = Submissions()
    future = to.batcher.propose(b"x", 1.0)
    await turns()
    to.batcher.close()
    with pytest.raises(Stopping):
        to.batcher.propose(b"y", 1.0)
    to.done(2)

    assert (await future).index == 2
    assert to.batcher.is_idle


@virtually
async def test_a_batch_for_nobody_raises_the_schema() -> None:
    """The agreement on a newer schema needs an entry though no client asks."""
    to = Submissions()
    to.batcher.raise_schema(4)
    await turns()
    assert (to.batch().raise_to, to.batch().commands) == (4, [])
    to.schema = 4
    to.done(2)
    await turns()

    assert to.batcher.is_idle
    assert len(to.payloads) == 1


@virtually
async def test_an_agreement_that_holds_is_not_raised_again() -> None:
    """An entry that raises nothing is an ordinary one."""
    to = Submissions()
    to.batcher.raise_schema(3)
    await turns()
    assert to.payloads == []
    to.batcher.propose(b"x", 1.0)
    await turns()

    assert to.batch().raise_to == 0
