"""A connection's whole life on both sides, in virtual time: so to the instant."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tests.support.alike import masked
from tests.support.differential import Settings, Side, both
from tests.support.sim_loop import SimLoop

Act = bytes | Callable[[Side], object]
"""What a client sends, or what else happens."""
Course = Sequence[tuple[float, Act]]
Seen = tuple[list[tuple[float, bytes]], float | None]
"""All that was sent at each instant, and when it was closed."""

KEEP_ALIVE_S = 10.0
SHORT = Settings(keep_alive_s=KEEP_ALIVE_S, body_within_s=3.0)
GATHERING = Settings(keep_alive_s=KEEP_ALIVE_S, gathers=True)
WATCHED_S = 40.0
"""How long a connection is watched after the last act."""


def hold(side: Side) -> None:
    """Let writes hang."""
    side.cases.consensus.hold()


def release(side: Side) -> None:
    """Let writes go on."""
    side.cases.consensus.release()


class Stop:
    """Begins to stop the server, and does not wait for it."""

    def __call__(self, side: Side) -> None:
        """Begin."""
        self._task = asyncio.create_task(side.stop_gently())


async def live(side: Side, course: Course, until_s: float) -> Seen:
    """Let one connection live through all this."""
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    wire = side.connect()

    async def at(time_s: float) -> None:
        due = asyncio.Event()
        loop.call_at(start_s + time_s, due.set)
        await due.wait()

    for time_s, act in course:
        await at(time_s)
        if not isinstance(act, bytes):
            act(side)
        elif not wire.is_closing():
            wire.feed(act)
    await at(until_s)
    seen: dict[float, bytes] = {}
    for time_s, data in wire.log:
        instant_s = round(time_s - start_s, 6)
        seen[instant_s] = seen.get(instant_s, b"") + data
    closed_at_s = wire.closed_at_s
    if closed_at_s is not None:
        closed_at_s = round(closed_at_s - start_s, 6)
    return [(time_s, masked(data)) for time_s, data in seen.items()], closed_at_s


def _in_virtual_time(run: Callable[[], Awaitable[None]]) -> None:
    async def awaited() -> None:
        await run()

    loop = SimLoop()
    try:
        loop.run_until_complete(awaited())
    finally:
        loop.close()


def both_lives(course: Course, settings: Settings = SHORT) -> tuple[Seen, Seen]:
    """Return what is seen of a plain connection, and of a fast one."""
    seen: list[Seen] = []
    until_s = WATCHED_S + (course[-1][0] if course else 0.0)

    async def run() -> None:
        async with both(settings) as sides:
            seen.append(await live(sides.plain, course, until_s))
            seen.append(await live(sides.fast, course, until_s))
            assert sides.fast.effects() == sides.plain.effects()

    _in_virtual_time(run)
    plain, fast = seen
    return plain, fast


def agree(course: Course, settings: Settings = SHORT) -> Seen:
    """Return what is seen of both alike."""
    plain, fast = both_lives(course, settings)
    assert fast == plain
    return fast
