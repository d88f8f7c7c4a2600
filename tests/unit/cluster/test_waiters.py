"""Who waits for an index hears of it once, or at the deadline."""

import asyncio

from cluster.waiters import MAX_WAITERS, IndexWaiters
from tests.support.virtual import virtually


@virtually
async def test_reaching_an_index_wakes_all_who_wait_up_to_it() -> None:
    """Entries are applied in slices, so an index may be passed, not met."""
    waiters = IndexWaiters()
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(waiters.wait(index, 10.0)) for index in (5, 3, 9, 4)]
    await asyncio.sleep(0)
    waiters.reached(5)
    await asyncio.sleep(0.1)

    assert [task.done() for task in tasks] == [True, True, False, True]
    assert all(task.result() for task in tasks if task.done())
    waiters.close()
    assert await tasks[2] is False


@virtually
async def test_an_index_that_is_not_reached_is_false_at_the_deadline() -> None:
    """The caller's deadline is kept to the moment."""
    waiters = IndexWaiters()

    assert await waiters.wait(5, 0.25) is False
    assert asyncio.get_running_loop().time() == 0.25
    waiters.reached(5)  # and the late news harms nobody


@virtually
async def test_a_caller_that_goes_away_harms_nobody() -> None:
    """A cancelled request leaves its future behind for a while."""
    waiters = IndexWaiters()
    loop = asyncio.get_running_loop()
    gone = loop.create_task(waiters.wait(5, 10.0))
    there = loop.create_task(waiters.wait(5, 10.0))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    waiters.reached(5)

    assert await there is True


@virtually
async def test_waiters_are_bounded() -> None:
    """Beyond, the answer is "not reached", at once."""
    waiters = IndexWaiters()
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(waiters.wait(9, 99.0)) for _ in range(MAX_WAITERS)]
    await asyncio.sleep(0)

    assert await waiters.wait(9, 99.0) is False
    waiters.close()
    await asyncio.gather(*tasks)
