"""Keeps the garbage collector away from the catalog, which holds no cycles.

A full collection looks at every object that lives: with 100,000 instances it would stop
the loop for tens of milliseconds. What has come to stay is frozen, which takes it out
of all collections and costs next to nothing: what was imported, before the catalog is
read, and the catalog once it is there and whenever it has grown by some. Frozen
objects are freed as ever when nobody holds them; only a cycle among what lives at that
moment would stay, so it is not done more often.
"""

import asyncio
import gc
from collections.abc import Callable

GROWTH_PERCENT = 10
LEAST_GROWTH, MOST_GROWTH = 1_000, 4_000
"""Registrations: less is no burden for a collection; more would be one by itself."""
LOOK_EVERY_S = 1.0
THRESHOLDS = (5_000, 10, 50)
"""Of the generations. Nearly all garbage is freed without a collection, so what one
looks at lives: 5,000 objects take about 2 ms (`bench callbacks` shows it). While the
catalog grows, by about 8 of them a registration, they are frozen before the next
generation's turn.
"""


def tune() -> None:
    """Collect what the imports left behind, freeze the rest, and collect rarely.

    Before the catalog is read: 100,000 instances are 40 ms of a collection (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


class Freezer:
    """Freezes again as the catalog grows. ``registrations``: how many it holds."""

    def __init__(
        self, registrations: Callable[[], int], freeze: Callable[[], None] = gc.freeze
    ) -> None:
        self._registrations = registrations
        self._freeze = freeze
        self._frozen_at = 0
        self.freezes = 0

    def look(self) -> None:
        """Freeze if the catalog has grown enough."""
        count = self._registrations()
        growth = max(self._frozen_at * GROWTH_PERCENT // 100, LEAST_GROWTH)
        if count < self._frozen_at + min(growth, MOST_GROWTH):
            self._frozen_at = min(self._frozen_at, count)
            return
        self._freeze()
        self._frozen_at = count
        self.freezes += 1

    async def run(self) -> None:
        """Look every now and then, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)
