"""The port Worker as a thread: what waits for the disk happens here, in order.

It stands on the path of every commit, so the hand-over is one C queue and one
``call_soon_threadsafe``: there and back in 14-20 us, an executor's futures cost half as
much again. Not a daemon: the interpreter must not end in the middle of a write.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

_WAITING_JOBS = 1024
"""Far more than there ever are: each user waits for its last job before the next."""


class ThreadWorker:
    """One thread that runs jobs in the order of their submission.

    ``submit`` and ``close`` are called on the event loop.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        name: str = "storage",
        close_deadline_s: float = 30.0,
    ) -> None:
        self._loop = loop
        self._close_deadline_s = close_deadline_s
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closed = False
        self._ended: asyncio.Future[None] = loop.create_future()
        self._thread = Thread(target=self._run, name=name, daemon=False)
        self._thread.start()

    def submit(
        self,
        job: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run ``job`` in the thread, then ``done(result)`` or ``failed(error)`` here.

        Raises RuntimeError when closed, or when jobs pile up without bound.
        """
        if self._closed:
            raise RuntimeError("the worker is closed")
        if self._jobs.qsize() >= _WAITING_JOBS:
            raise RuntimeError("too many jobs wait for the worker")

        def run() -> None:
            try:
                result = job()
            except BaseException as error:
                self._hand_back(failed, error)
            else:
                self._hand_back(done, result)

        self._jobs.put(run)

    async def close(self) -> None:
        """Finish what was submitted, its callbacks included, and end the thread.

        Raises TimeoutError when a job outlasts the deadline (a disk that hangs).
        """
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        async with asyncio.timeout(self._close_deadline_s):
            await asyncio.shield(self._ended)
        self._thread.join(self._close_deadline_s)

    def _run(self) -> None:
        while (run := self._jobs.get()) is not None:
            run()
            # Not kept until the next job: it may hold a whole snapshot.
            del run
        self._hand_back(self._end, None)

    def _end(self, _: None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _hand_back(self, callback: Callable[[T], None], value: T) -> None:
        # A closed loop raises RuntimeError: nobody is left who could be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, value)
