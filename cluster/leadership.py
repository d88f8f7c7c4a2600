"""Duties: work of the leader alone, begun when it leads, cancelled when not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

Duty = Callable[[], Awaitable[None]]


class Leadership:
    """Runs every duty while this replica leads and has caught up.

    A duty that ends or raises while we lead ends the replica: a leader that silently
    stopped checking or evicting is worse than none.
    """

    def __init__(self, fatal: Callable[[str], NoReturn]) -> None:
        self._fatal = fatal
        self._duties: dict[str, Duty] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.is_leading = False

    def add(self, name: str, duty: Duty) -> None:
        """Register a duty; before the replica starts."""
        self._duties[name] = duty

    def update(self, *, is_leading: bool) -> None:
        """Begin or cancel the duties as leadership changes."""
        if is_leading == self.is_leading:
            return
        self.is_leading = is_leading
        if is_leading:
            loop = asyncio.get_running_loop()
            for name, duty in self._duties.items():
                self._tasks[name] = loop.create_task(self._run(name, duty))
        else:
            for task in self._tasks.values():
                task.cancel()
            self._tasks.clear()

    async def _run(self, name: str, duty: Duty) -> None:
        try:
            await duty()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fatal(f"duty {name} failed: {type(error).__name__}: {error}")
        self._fatal(f"duty {name} ended while leading")
