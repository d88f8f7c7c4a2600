"""An asyncio event loop in virtual time: hours of a cluster's life pass in seconds.

Single thread, no socket, no wall clock. Waiting for a timer moves the clock to it
and costs nothing, so a run is a function of what is scheduled, and the same seed
gives the same run. Two mistakes that would hang a real loop are errors here: waiting
for ever with nothing scheduled, and never letting time go on.

Time is counted in quanta of 2**-30 s. The clocks of simulated nodes differ from this
one by whole seconds; with such a quantum the sums are exact, so a timer never fires
a rounding error before its time (code that then arms it again would spin).
"""

import asyncio
import math
from collections.abc import Callable
from contextvars import Context
from typing import TypeVarTuple

Ts = TypeVarTuple("Ts")

QUANTA_PER_S = 2**30
SPIN_LIMIT = 200_000
"""Turns of the loop without any progress of time before it is called a livelock."""


class SimStuck(Exception):
    """Nothing will ever happen again, or everything happens at one instant."""


class _Clockwork:
    """Stands where a loop keeps its selector: instead of waiting, it moves time."""

    def __init__(self, loop: "SimLoop") -> None:
        self._loop = loop
        self._turns = 0

    def select(self, timeout_s: float | None) -> list[object]:
        """Let ``timeout_s`` pass at once; None means that nothing is scheduled."""
        if timeout_s is None:
            raise SimStuck(f"nothing is scheduled at {self._loop.time():.3f} s")
        if timeout_s > 0:
            self._turns = 0
            self._loop.advance(timeout_s)
            return []
        self._turns += 1
        if self._turns > SPIN_LIMIT:
            raise SimStuck(f"time stands still at {self._loop.time():.6f} s")
        return []

    def close(self) -> None:
        """Nothing to release."""


class SimLoop(asyncio.BaseEventLoop):
    """The loop of the whole simulation; nodes run on ``NodeLoop``s over it."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._selector = _Clockwork(self)
        # asyncio fires what is due before now + resolution: exactly what is due now.
        self._clock_resolution = 0.5 / QUANTA_PER_S
        self.set_debug(False)

    def time(self) -> float:
        """Return the virtual time in seconds since the simulation began."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Let time pass without running anything (what a computation costs)."""
        self._now_s = quantized(self._now_s + seconds)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule at the first quantum not before ``when``."""
        return super().call_at(quantized(when), callback, *args, context=context)

    def __del__(self, *_: object) -> None:
        """Nothing to release, so nothing to warn of."""

    def _process_events(self, event_list: list[object]) -> None:
        """There are no descriptors, so there are no events."""

    def _write_to_self(self) -> None:
        """There is no other thread that would have to wake this one."""


def quantized(time_s: float) -> float:
    """Return the first quantum that is not before ``time_s``."""
    return math.ceil(time_s * QUANTA_PER_S) / QUANTA_PER_S
