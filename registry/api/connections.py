"""All open connections of a replica's HTTP port: how many, how stuck, and their end."""

import asyncio
import time
from collections.abc import Callable
from weakref import WeakSet

import structlog

from registry.api.connection import ApiProtocol, Refused

LOOKS_PER_LIMIT = 3
"""How often to look at connections in the time that one may be stuck."""
REFUSALS_LOGGED_EVERY_S = 10.0

_log = structlog.stdlib.get_logger("registry.api")


class Connections:
    """Admits connections up to a limit, and cuts off those that are stuck."""

    def __init__(
        self, *, most: int, stuck_s: float, on_refused: Callable[[], None]
    ) -> None:
        self._most = most
        self._stuck_s = stuck_s
        self._on_refused = on_refused
        # Weak: one whose accept has failed after all never learns of its end.
        self._open: WeakSet[ApiProtocol] = WeakSet()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._timer: asyncio.TimerHandle | None = None
        self._next_log_s = 0.0

    def admit(self, make: Callable[[], ApiProtocol]) -> ApiProtocol | Refused:
        """Return the protocol of a new connection; beyond the limit, one that ends it.

        Counted from here on, as many may be accepted before the first one stands.
        """
        if len(self._open) >= self._most:
            self._refuse()
            return Refused()
        connection = make()
        self._open.add(connection)
        self._none_left.clear()
        return connection

    def lost(self, connection: ApiProtocol) -> None:
        """Hear of the end of a connection."""
        self._open.discard(connection)
        if not self._open:
            self._none_left.set()

    def watch(self, stuck_s: float | None = None) -> None:
        """Look at all connections every now and then, until ``close``."""
        if stuck_s is not None:
            self._stuck_s = stuck_s
        if self._timer is not None:
            self._timer.cancel()
        for connection in list(self._open):
            connection.cut_off_if_stuck(LOOKS_PER_LIMIT)
        self._timer = asyncio.get_running_loop().call_later(
            self._stuck_s / LOOKS_PER_LIMIT, self.watch
        )

    async def all_gone(self) -> None:
        """Wait until no connection is open."""
        await self._none_left.wait()

    def close(self) -> None:
        """Cut off whatever is left, and look no more."""
        if self._timer is not None:
            self._timer.cancel()
        for connection in list(self._open):
            connection.cut_off()

    def _refuse(self) -> None:
        self._on_refused()
        now_s = time.monotonic()
        if now_s >= self._next_log_s:
            self._next_log_s = now_s + REFUSALS_LOGGED_EVERY_S
            _log.warning("Connections refused: too many are open", most=self._most)
