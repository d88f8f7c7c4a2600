"""The worker thread of a simulated node: its jobs take virtual time, like a disk's.

A job runs as a whole at one instant between its submission and its answer; which
one is drawn, so that a power cut may find it done or not begun, and so that a job
that was handed mutable data meets it changed.
"""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from tests.support.sim_node_loop import NodeLoop

T = TypeVar("T")

Latency = Callable[[], float]


class Crash(BaseException):
    """The node died in the middle of a file operation (raised by the files' hook)."""


class SimWorker:
    """One thread of one life of a node: jobs in order, one at a time."""

    def __init__(self, loop: NodeLoop, random: Random, latency_s: Latency) -> None:
        self._loop = loop
        self._random = random
        self._latency_s = latency_s
        self._waiting: deque[tuple[Any, Any, Any]] = deque()
        self._busy = False
        self._stalled_until_s = 0.0
        self._idle: asyncio.Future[None] | None = None

    def stall(self, seconds: float) -> None:
        """Let no job of the next ``seconds`` be answered before they have passed."""
        self._stalled_until_s = self._loop.time() + seconds

    def submit(
        self,
        job: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run ``job`` after those before it, then answer on the loop."""
        if self._idle is not None:
            raise RuntimeError("a job was submitted to a closed worker")
        self._waiting.append((job, done, failed))
        self._next()

    async def close(self) -> None:
        """Finish what was submitted."""
        self._idle = self._loop.create_future()
        self._next()
        await self._idle

    def _next(self) -> None:
        if self._busy:
            return
        if not self._waiting:
            if self._idle is not None and not self._idle.done():
                self._idle.set_result(None)
            return
        self._busy = True
        now_s = self._loop.time()
        takes_s = max(self._latency_s(), self._stalled_until_s - now_s)
        runs_after_s = takes_s * self._random.choice((0.0, 0.5, 1.0))
        # A thread is stopped and killed with its process, hence the node's own loop.
        self._loop.call_later(runs_after_s, self._run, now_s + takes_s)

    def _run(self, answer_at_s: float) -> None:
        job, done, failed = self._waiting.popleft()
        try:
            result = _away_from_the_loop(job)
        except Crash:
            return
        except BaseException as error:
            self._loop.call_at(answer_at_s, self._answer, failed, error)
        else:
            self._loop.call_at(answer_at_s, self._answer, done, result)

    def _answer(self, callback: Callable[[Any], None], value: object) -> None:
        self._busy = False
        try:
            callback(value)
        finally:
            self._next()


def _away_from_the_loop(job: Callable[[], T]) -> T:
    """Call ``job`` where no loop runs, as in a thread."""
    outer = events._get_running_loop()
    events._set_running_loop(None)
    try:
        return job()
    finally:
        events._set_running_loop(outer)
