"""Duties run while we lead, all of them, and never silently not."""

import asyncio
from typing import NoReturn

import pytest

from cluster.leadership import Leadership


class Watched:
    """A leadership whose fatal ends are noted, and a duty that is."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.log: list[str] = []
        self.leadership = Leadership(self.fatal)

    def fatal(self, reason: str) -> NoReturn:
        """Note the reason; the duty's task ends."""
        self.reasons.append(reason)
        raise asyncio.CancelledError

    async def duty(self) -> None:
        """Run until cancelled."""
        self.log.append("begins")
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append("ends")


async def turns() -> None:
    """Let tasks go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_duty_runs_while_leading_and_no_longer() -> None:
    """Two leaders that evict would be one too many."""
    watched = Watched()
    watched.leadership.add("sweep", watched.duty)
    await turns()
    assert watched.log == []
    watched.leadership.update(is_leading=True)
    await turns()
    assert watched.log == ["begins"]
    watched.leadership.update(is_leading=False)
    await turns()

    assert watched.log == ["begins", "ends"]
    assert watched.reasons == []


async def test_a_duty_begins_anew_with_each_leadership() -> None:
    """It starts from the replicated state, not from what it once knew."""
    watched = Watched()
    watched.leadership.add("sweep", watched.duty)
    for is_leading in (True, True, False, False, True):
        watched.leadership.update(is_leading=is_leading)
        await turns()

    assert watched.log == ["begins", "ends", "begins"]
    watched.leadership.update(is_leading=False)
    await turns()


async def test_a_duty_that_fails_ends_the_replica() -> None:
    """A leader that stopped evicting without a word is worse than none."""
    watched = Watched()

    async def failing() -> None:
        raise ValueError("broken")

    watched.leadership.add("sweep", failing)
    watched.leadership.update(is_leading=True)
    await turns()

    assert watched.reasons == ["duty sweep failed: ValueError: broken"]


async def test_a_duty_that_returns_ends_the_replica() -> None:
    """There is no such thing as a duty done."""
    watched = Watched()

    async def returning() -> None:
        """Return."""

    watched.leadership.add("sweep", returning)
    watched.leadership.update(is_leading=True)
    await turns()

    assert watched.reasons == ["duty sweep ended while leading"]


@pytest.mark.parametrize("is_leading", [True, False])
async def test_what_is_said_again_changes_nothing(is_leading: bool) -> None:
    """Each tick says it."""
    watched = Watched()
    watched.leadership.add("sweep", watched.duty)
    for _ in range(3):
        watched.leadership.update(is_leading=is_leading)
        await turns()

    assert watched.log == (["begins"] if is_leading else [])
    watched.leadership.update(is_leading=False)
    await turns()
