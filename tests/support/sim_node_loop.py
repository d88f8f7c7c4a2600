"""The event loop as one simulated process sees it, so that it can be stopped or killed.

Unmodified asyncio code of a node (sleep, timeout, Event, Future, TaskGroup) runs on
it: each callback runs with this loop as the running one. Behind it is the SimLoop.

    running --pause--> paused --resume--> running      SIGSTOP: time goes on, what came
       |                  |                            due is run in order on resume
       +-------kill-------+---------> dead             SIGKILL: nothing runs any more

Its clock starts at a number of its own, as monotonic clocks do: code that compares
the clocks of two nodes, or of two lives of one node, is found out.
"""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from tests.support.sim_loop import SimLoop, quantized

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Complaint = Callable[[dict[str, Any]], None]

CLOSE_ATTEMPTS = 10
"""A coroutine may await in its cleanup; each close() ends one such wait."""


class _Timer(asyncio.TimerHandle):
    """A node's timer, and the simulation's timer behind it."""

    __slots__ = ("behind",)
    behind: asyncio.TimerHandle | None


class NodeLoop(asyncio.BaseEventLoop):
    """One life of one node. Invariant: nothing of it runs while paused or dead."""

    def __init__(
        self,
        sim: SimLoop,
        *,
        clock_starts_s: int = 0,
        time_call_costs_s: float = 0.0,
        on_complaint: Complaint | None = None,
    ) -> None:
        self.dead = True  # asyncio's constructor asks whether the loop runs
        super().__init__()
        self.dead = False
        self.paused = False
        self._sim = sim
        self._offset_s = clock_starts_s
        self._cost_s = time_call_costs_s
        self._on_complaint = on_complaint
        self._queue: deque[asyncio.Handle] = deque()
        self._woken = False
        self._tasks: list[asyncio.Task[Any]] = []
        self._tasks_limit = 64
        self.after_turn: Callable[[], None] | None = None

    # -- what a process does to its loop

    def time(self) -> float:
        """Return this node's monotonic clock; asking may cost a little time."""
        if self._cost_s:
            self._sim.advance(self._cost_s)
        return self._sim.time() + self._offset_s

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Run ``callback`` in the node's next turn (never, if it is dead)."""
        handle = asyncio.Handle(callback, args, self, context)
        self._append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Do as call_soon does: the simulation has one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run ``callback`` once ``delay`` seconds have passed."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run ``callback`` when this node's clock shows ``when``."""
        timer = _Timer(when, callback, args, self, context)
        timer.behind = None
        if not self.dead:
            due_s = quantized(when - self._offset_s)
            timer.behind = self._sim.call_at(due_s, self._append, timer)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if isinstance(handle, _Timer) and handle.behind is not None:
            handle.behind.cancel()

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Run ``coro`` on this loop, and remember it for the burial."""
        task: asyncio.Task[T] = asyncio.Task(
            coro,
            loop=self,
            name=None if name is None else str(name),
            context=context,
        )
        if len(self._tasks) >= self._tasks_limit:
            self._tasks = [t for t in self._tasks if not t.done()]
            self._tasks_limit = 64 + 2 * len(self._tasks)
        self._tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Pass an exception that nobody caught on to the owner of the simulation."""
        if not self.dead and self._on_complaint is not None:
            self._on_complaint(context)

    def get_debug(self) -> bool:
        """Debugging measures the wall clock, so it is always off."""
        return False

    def is_running(self) -> bool:
        """Return whether the node could act now."""
        return not self.dead

    def is_closed(self) -> bool:
        """Return whether the node is dead."""
        return self.dead

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Refuse: a thread of one's own would be outside of the simulation."""
        raise RuntimeError("a simulated node has no threads; use the Worker ports")

    def __del__(self, *_: object) -> None:
        """Nothing to release, so nothing to warn of."""

    # -- what the simulation does to a process

    def run_inside(self, action: Callable[[], T]) -> T:
        """Call ``action`` at once, as a callback of this node would be."""
        outer = events._get_running_loop()
        events._set_running_loop(self)
        try:
            return action()
        finally:
            events._set_running_loop(outer)

    def pause(self) -> None:
        """SIGSTOP: nothing runs until ``resume``."""
        self.paused = True

    def resume(self) -> None:
        """SIGCONT: what came due meanwhile runs now, in its order."""
        self.paused = False
        self._wake()

    def kill(self) -> None:
        """SIGKILL: nothing of this node runs ever again. Follow it by ``bury``."""
        self.dead = True
        self._queue.clear()

    def bury(self) -> None:
        """End the coroutines of a dead node now, not whenever memory is collected.

        Their ``finally`` blocks run, as they would not in a killed process: what a
        node can reach of the outside must refuse a dead one.
        """
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                self.run_inside(lambda task=task: _close(task))  # type: ignore[misc]

    # -- turns

    def _append(self, handle: asyncio.Handle) -> None:
        if not self.dead:
            self._queue.append(handle)
            self._wake()

    def _wake(self) -> None:
        if self._queue and not (self._woken or self.paused or self.dead):
            self._woken = True
            self._sim.call_soon(self._turn)

    def _turn(self) -> None:
        """Run what is queued by now; what it queues comes in the next turn."""
        self._woken = False
        if self.paused or self.dead:
            return
        self.run_inside(self._run_queued)
        if self.after_turn is not None and not self.dead:
            self.after_turn()
        self._wake()

    def _run_queued(self) -> None:
        for _ in range(len(self._queue)):
            handle = self._queue.popleft()
            if not handle.cancelled():
                handle._run()
            if self.dead or self.paused:
                return


def _close(task: asyncio.Task[Any]) -> None:
    coroutine = task.get_coro()
    if not isinstance(coroutine, Coroutine):
        return
    for _ in range(CLOSE_ATTEMPTS):
        try:
            coroutine.close()
        except RuntimeError:  # it awaited in its cleanup, or is running just now
            continue
        except BaseException:  # the dead cannot complain
            pass
        return
