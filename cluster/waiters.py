"""Who waits until this replica has applied an index: readers of their own writes."""

import asyncio
import heapq

SWEEP_FROM = 64
MAX_WAITERS = 10_000
"""More are told at once that the index was not reached."""


class IndexWaiters:
    """Futures in the order of their indexes."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, asyncio.Future[bool]]] = []
        self._count = 0
        self._alive = 0

    async def wait(self, index: int, deadline_s: float) -> bool:
        """Return True once ``index`` is reached; False at the deadline (loop time)."""
        if self._alive >= MAX_WAITERS:
            return False
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._count += 1
        heapq.heappush(self._heap, (index, self._count, future))
        timer = loop.call_at(deadline_s, _settle, future, False)
        self._alive += 1
        try:
            return await future
        finally:
            self._alive -= 1
            timer.cancel()
            self._sweep()

    def _sweep(self) -> None:
        """Drop those who gave up, before they outnumber those who wait."""
        if len(self._heap) > 2 * self._alive + SWEEP_FROM:
            self._heap = [entry for entry in self._heap if not entry[2].done()]
            heapq.heapify(self._heap)

    def reached(self, index: int) -> None:
        """Wake all who wait for ``index`` or an earlier one."""
        while self._heap and self._heap[0][0] <= index:
            _settle(heapq.heappop(self._heap)[2], True)

    def close(self) -> None:
        """Tell everyone that no further index will be reached."""
        for _, _, future in self._heap:
            _settle(future, False)
        self._heap.clear()


def _settle(future: "asyncio.Future[bool]", reached: bool) -> None:
    if not future.done():
        future.set_result(reached)
