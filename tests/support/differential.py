"""The same bytes to a server that is aiohttp alone and to one with the fast path.

Each side is one replica without sockets: a connection's protocol stands on a transport
that only records, so every piece that is sent arrives as a chunk of its own, after as
many turns of the loop as the case says. Both sides hold the same catalog, give the same
ids, and have a wall clock that stands; what they answered, and what came of it, is
compared byte for byte.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from aiohttp import web

from registry.api.app import create_surface
from registry.api.connection import ApiProtocol, ConnectionSettings
from registry.api.fastpath import FastProtocol
from registry.api.server import refusing_as_problems
from tests.support.alike import SteadyClock, Told, effects, fill, masked
from tests.support.http_bytes import WARM, get
from tests.support.recording_wire import Wire
from tests.support.surface import dependencies
from tests.support.use_cases import UseCases

QUIET = 24
"""So many turns of the loop without anything new: nothing is under way."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the pieces are sent."""

    turns: int = QUIET
    """Of the loop after each piece; ``QUIET``: until nothing is under way."""
    holds_writes: bool = False
    """Let each write hang until all is sent, then one after the other."""
    is_read_slowly: bool = False
    """Let the client take its answers only when nothing else happens."""


CALM = Manner()


@dataclass(frozen=True, slots=True)
class Settings:
    """What sides may be told otherwise."""

    gathers: bool = False
    """Whether heartbeats wait for company, as they do in the product."""
    keep_alive_s: float = 75.0
    body_within_s: float = 10.0
    stop_within_s: float = 4.0


USUAL = Settings()


class Side:
    """One replica's HTTP surface without sockets."""

    def __init__(self, *, is_plain: bool, settings: Settings) -> None:
        self._is_plain = is_plain
        self._settings = settings
        self.clock = SteadyClock()
        self.cases = UseCases(clock=self.clock, gathers=settings.gathers)
        deps = dependencies(self.cases, body_within_s=settings.body_within_s)
        self._surface = create_surface(deps)
        self._runner = web.AppRunner(
            self._surface.app, shutdown_timeout=settings.stop_within_s
        )
        self._manager: web.Server | None = None
        self._open: list[Wire] = []

    async def start(self) -> None:
        """Make ready for connections, over a small catalog that is known already."""
        await self._runner.setup()
        manager = self._manager = self._runner.server
        assert manager is not None
        (outermost,) = self._surface.app.middlewares
        manager.request_handler = refusing_as_problems(
            manager.request_handler, outermost
        )
        await fill(self.cases)
        for target in WARM:
            told = await self.exchange([get(target)])
            assert told.answers.startswith(b"HTTP/1.1 200 "), target

    async def stop(self) -> None:
        """End all connections at once."""
        for wire in self._open:
            wire.abort()
        await asyncio.sleep(0)
        await self.stop_gently()

    async def stop_gently(self) -> None:
        """Answer what is under way, then end all connections."""
        await self._runner.cleanup()

    @property
    def hot_answers(self) -> int:
        """How many answers were given without aiohttp."""
        return self._surface.hot.answers

    def connect(self) -> Wire:
        """Open a connection."""
        manager, loop = self._manager, asyncio.get_running_loop()
        assert manager is not None
        settings = ConnectionSettings(
            node_id="a",
            observer=self.cases.metrics,
            keep_alive_s=self._settings.keep_alive_s,
            on_lost=lambda _: None,
        )
        protocol: ApiProtocol
        if self._is_plain:
            protocol = ApiProtocol(manager, loop=loop, settings=settings)
        else:
            hot = self._surface.hot
            protocol = FastProtocol(manager, loop=loop, settings=settings, hot=hot)
        wire = Wire()
        wire.connect(protocol)
        self._open.append(wire)
        return wire

    async def exchange(self, pieces: Sequence[bytes], manner: Manner = CALM) -> Told:
        """Send pieces on a new connection; return once nothing is under way."""
        wire, waiting = self.connect(), deque(pieces)
        if manner.is_read_slowly:
            wire.stall(high_water_bytes=0)
        if manner.holds_writes:
            self.cases.consensus.hold()
        await self._deliver(wire, waiting, manner.turns)
        seen = None
        while manner.holds_writes and seen != (now := self._state(wire, waiting)):
            seen = now
            self.cases.consensus.release()  # who hangs now goes on
            self.cases.consensus.hold()
            await self.settled(wire)
            await self._deliver(wire, waiting, manner.turns)
        self.cases.consensus.release()
        await self._deliver(wire, waiting, QUIET)
        while wire.unsent_bytes:
            wire.drain()
            await self._deliver(wire, waiting, QUIET)
        told = Told(masked(bytes(wire.sent)), is_closed=wire.is_closing())
        wire.abort()
        await self.settled(wire)
        return told

    def effects(self) -> list[object]:
        """Return what requests have changed: commands, refusals, and counts."""
        return effects(self.cases)

    async def _deliver(self, wire: Wire, waiting: deque[bytes], turns: int) -> None:
        """Feed what is read; return once nothing is under way."""
        while waiting and not wire.is_closing():
            if wire.is_reading_paused:
                await self.settled(wire)
                if wire.is_reading_paused:
                    return
            wire.feed(waiting.popleft())
            if turns >= QUIET:
                await self.settled(wire)
            for _ in range(0 if turns >= QUIET else turns):
                await asyncio.sleep(0)
        await self.settled(wire)

    async def settled(self, wire: Wire) -> None:
        """Wait until nothing is under way."""
        seen, turns = None, 0
        while turns < QUIET:
            await asyncio.sleep(0)
            now = self._state(wire, ())
            turns = turns + 1 if now == seen else 0
            seen = now

    def _state(self, wire: Wire, waiting: Sequence[bytes]) -> tuple[int, ...]:
        proposed = len(self.cases.consensus.proposed)
        return len(wire.sent), wire.is_closing(), proposed, len(waiting)


@dataclass(frozen=True, slots=True)
class Both:
    """A plain side and a fast one that were told the same so far."""

    plain: Side
    fast: Side

    async def agree(
        self, pieces: Sequence[bytes], manner: Manner = CALM, *, hot: int | None = None
    ) -> Told:
        """Send the same to both; AssertionError unless they tell and do the same.

        ``hot``: so many of the answers must be the fast path's.
        """
        before = self.fast.hot_answers
        told = await self.plain.exchange(pieces, manner)
        got = await self.fast.exchange(pieces, manner)
        assert got == told, difference(pieces, told, got)
        assert self.fast.effects() == self.plain.effects()
        answered = self.fast.hot_answers - before
        assert hot is None or answered == hot, f"{answered} hot answers, not {hot}"
        return told

    async def each(self, change: Callable[[Side], Awaitable[object]]) -> None:
        """Change both in the same way."""
        await change(self.plain)
        await change(self.fast)


@asynccontextmanager
async def both(settings: Settings = USUAL) -> AsyncIterator[Both]:
    """Make two sides."""
    async with AsyncExitStack() as stack:
        sides = []
        for is_plain in (True, False):
            side = Side(is_plain=is_plain, settings=settings)
            await side.start()
            stack.push_async_callback(side.stop)
            sides.append(side)
        yield Both(*sides)


def difference(pieces: Sequence[bytes], plain: Told, fast: Told) -> str:
    """Say what was sent and what came, for people."""
    told = "\n  ".join(map(repr, pieces))
    same = 0
    for a, b in zip(plain.answers, fast.answers, strict=False):
        if a != b:
            break
        same += 1
    start = max(0, same - 60)
    return (
        f"sent\n  {told}\nplain {replace(plain, answers=plain.answers[start:])}\n"
        f"fast  {replace(fast, answers=fast.answers[start:])}\n(from byte {start} on)"
    )
