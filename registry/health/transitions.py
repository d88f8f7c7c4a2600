"""Transitions on their way into the log: at most one for each instance.

What waits can be replaced or withdrawn by the next probe; what is under way is fenced
by its generation. One that fails is not repeated here: the next probe asks for it again
if it is still the case.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from registry.catalog.commands import Key, SetStatus
from registry.errors import RegistryError
from registry.health.watched import Watched
from registry.model import Status
from registry.ports import Clock
from registry.proposals import Proposals

DEADLINE_S = 5.0
AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Wanted:
    """A status to be proposed."""

    watched: Watched
    status: Status
    cause: str


class Transitions:
    """Proposes what the monitor wants.

    Invariant: an instance is waiting or under way, not both.
    """

    def __init__(
        self, proposals: Proposals, clock: Clock, *, failed: Callable[[Watched], None]
    ) -> None:
        """``failed`` hears of an instance whose transition was not taken."""
        self._proposals = proposals
        self._clock = clock
        self._failed = failed
        self._waiting: OrderedDict[Key, Wanted] = OrderedDict()
        self._under_way: set[Key] = set()
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)

    def put(self, watched: Watched, status: Status, cause: str) -> None:
        """Propose soon; nothing happens while one of this instance is under way."""
        if watched.key not in self._under_way:
            self._waiting[watched.key] = Wanted(watched, status, cause)
            self._wake.set()

    def withdraw(self, key: Key, *, but: Status | None = None) -> None:
        """Forget what waits, unless it is ``but``."""
        wanted = self._waiting.get(key)
        if wanted is not None and wanted.status is not but:
            del self._waiting[key]

    def is_pending(self, key: Key) -> bool:
        """Whether one waits or is under way."""
        return key in self._waiting or key in self._under_way

    async def run(self) -> None:
        """Propose until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self._room.acquire()
                    if not self._waiting:  # Withdrawn while we waited for room.
                        self._room.release()
                        break
                    key, wanted = self._waiting.popitem(last=False)
                    self._under_way.add(key)
                    group.create_task(self._propose(key, wanted))

    async def _propose(self, key: Key, wanted: Wanted) -> None:
        watched = wanted.watched
        command = SetStatus(
            service_id=watched.service_id,
            generation=watched.generation,
            status=wanted.status,
            cause=wanted.cause,
            at_ms=self._clock.wall_ms(),
            by_check=True,
        )
        deadline_s = self._clock.now_s() + DEADLINE_S
        try:
            await self._proposals.propose(command, deadline_s=deadline_s)
        except RegistryError:
            self._failed(watched)
        finally:
            self._under_way.discard(key)
            self._room.release()
