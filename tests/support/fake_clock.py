"""Clocks for tests: one that stands until it is moved, and the event loop's own."""

import asyncio
import time

START_WALL_MS = 1_769_126_040_000
"""2026-01-22T23:54:00Z, the seed's example."""


class FakeClock:
    """Time that passes only by ``advance``."""

    def __init__(self) -> None:
        self._passed_s = 0.0

    def now_s(self) -> float:
        """Monotonic seconds since an arbitrary start."""
        return 1000.0 + self._passed_s

    def wall_ms(self) -> int:
        """Milliseconds since the epoch."""
        return START_WALL_MS + int(self._passed_s * 1000)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._passed_s += seconds


class LoopClock:
    """The running event loop's time, and the system's wall clock."""

    def now_s(self) -> float:
        """Monotonic seconds of the running loop."""
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000
