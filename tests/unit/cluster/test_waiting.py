"""The waiting room: bounded, in order, and its byte count is never wrong."""

import asyncio
from dataclasses import replace

import pytest

from cluster.config import Limits
from cluster.errors import NoLeader, OutcomeUnknown, Overloaded
from cluster.flight import Waiter
from cluster.waiting import WaitingRoom

ENOUGH = Limits()


async def waiter(command: bytes | None, deadline_s: float = 1.0) -> Waiter:
    """Return somebody who waits."""
    return Waiter(command, asyncio.get_running_loop().create_future(), deadline_s)


async def test_those_put_back_come_first_again() -> None:
    """They waited longest."""
    room = WaitingRoom(ENOUGH)
    for command in (b"1", b"2"):
        room.admit(await waiter(command))
    taken, _ = room.take()
    room.admit(await waiter(b"3"))
    room.put_back(taken)
    _, commands = room.take()

    assert commands == [b"1", b"2", b"3"]


async def test_bytes_are_given_back_by_whatever_way_a_command_leaves() -> None:
    """A count that drifts would refuse everybody one day."""
    room = WaitingRoom(replace(ENOUGH, waiting_bytes=10))
    for _ in range(3):
        taken = await waiter(b"1234")
        room.admit(taken)
        room.put_back(room.take()[0])
        cancelled = await waiter(b"567")
        room.admit(cancelled)
        cancelled.future.cancel()
        expired = await waiter(b"890", deadline_s=0.5)
        room.admit(expired)
        with pytest.raises(Overloaded):
            room.admit(await waiter(b"x"))
        assert room.expire(0.7, NoLeader("late")) == (1, 1.0)
        room.take()
        assert isinstance(expired.future.exception(), NoLeader)

    room.admit(await waiter(b"x" * 10))


async def test_a_first_command_fits_whatever_its_size() -> None:
    """One that never fitted would block all behind it."""
    room = WaitingRoom(replace(ENOUGH, entry_bytes=2))
    room.admit(await waiter(b"large"))
    room.admit(await waiter(b"next"))

    assert room.take()[1] == [b"large"]
    assert room.take()[1] == [b"next"]


async def test_a_barrier_never_expires_as_unknown() -> None:
    """It changes nothing; NoLeader says that a retry is safe."""
    barrier, command = await waiter(None), await waiter(b"x")
    for each in (barrier, command):
        assert each.expire(2.0, OutcomeUnknown("late"))

    assert isinstance(barrier.future.exception(), NoLeader)
    assert isinstance(command.future.exception(), OutcomeUnknown)


async def test_who_was_answered_does_not_expire() -> None:
    """An answer is given once."""
    answered = await waiter(b"x")
    answered.future.cancel()

    assert not answered.expire(2.0, NoLeader("late"))
