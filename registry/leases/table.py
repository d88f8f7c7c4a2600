"""Deadlines in lease time, looked at when they are due and not before. Pure.

The heap holds for each item a time before which it certainly does not end. A renewal
does not touch it: when that time comes, the owner tells the true deadline, and the item
goes back or is due. So renewals are free, and each lease is looked at about once per
lease time.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

AT_RISK_SHARE = 1 / 3
"""A lease with so much of its time left, or less, is at risk."""
LEAST_AT_RISK = 5
SPARE_ENTRIES = 1_000
"""Stale entries of the heap are thrown out once they outnumber the others by this."""


class Deadlines(Generic[T]):
    """Items by the time at which they must be looked at.

    Invariant: an item of ``_look_at`` is in the heap at that time; other entries of it
    are stale and skipped, and never many more than there are items.
    """

    __slots__ = ("_count", "_heap", "_look_at")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._look_at: dict[T, float] = {}
        self._count = 0

    def __contains__(self, item: T) -> bool:
        return item in self._look_at

    def __len__(self) -> int:
        return len(self._look_at)

    @property
    def entries(self) -> int:
        """How many entries are held, stale ones included."""
        return len(self._heap)

    def put(self, item: T, look_at_s: float) -> None:
        """Look at an item at this time, and not when it was to be before."""
        if self._look_at.get(item) == look_at_s:
            return
        self._look_at[item] = look_at_s
        self._count += 1
        heappush(self._heap, (look_at_s, self._count, item))
        if len(self._heap) > 2 * len(self._look_at) + SPARE_ENTRIES:
            self._throw_out()

    def _throw_out(self) -> None:
        """Else who registers anew all day fills the heap until a lease ends."""
        get = self._look_at.get
        self._heap = [entry for entry in self._heap if get(entry[2]) == entry[0]]
        heapify(self._heap)

    def drop(self, item: T) -> None:
        """Forget an item."""
        self._look_at.pop(item, None)

    def next_s(self) -> float | None:
        """Return when something must be looked at next."""
        while self._heap:
            look_at_s, _count, item = self._heap[0]
            if self._look_at.get(item) == look_at_s:
                return look_at_s
            heappop(self._heap)
        return None

    def pop_due(self, now_s: float, most: int) -> list[T]:
        """Take out at most ``most`` items that are to be looked at by now."""
        due: list[T] = []
        while len(due) < most:
            next_s = self.next_s()
            if next_s is None or next_s > now_s:
                break
            _look_at_s, _count, item = heappop(self._heap)
            del self._look_at[item]
            due.append(item)
        return due


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the leases that live by heartbeats alone are at risk."""

    at_risk: int
    all: int

    @property
    def is_suspicious(self) -> bool:
        """Whether so many at once speak for a broken path, not for dead services."""
        return self.at_risk >= LEAST_AT_RISK and 2 * self.at_risk > self.all
