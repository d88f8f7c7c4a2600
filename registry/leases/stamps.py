"""When each log index was applied here, in lease time: one small table for all leases.

A lease says at which position it was renewed; the stamp of that index says when. So
a renewal costs nothing, and every replica has the stamps that it needs should it lead.

    level 0  buckets of 20 ms, the newest     each bucket: its last index and time
    level 1  buckets of 80 ms, older ones
    level 2  buckets of 320 ms, …             LENGTH buckets a level: bounded memory

A look-up gives the last time of the bucket: never before the true one, late by at most
the bucket's width, which grows with age (20 ms within a lease of five minutes). What is
older than the table is stamped with its beginning, so after a restart everything is
stamped with the moment at which it was restored. Pure.
"""

from array import array
from bisect import bisect_left

WIDTH_S = 0.02
FACTOR = 4
LEVELS = 8
LENGTH = 16_384
"""Level 0 alone reaches back five minutes, all together three months."""
RECENT = 8
"""Buckets of level 0 that are looked at first."""


class Stamps:
    """Log index -> lease time.

    Invariant: indexes rise within a level, and from each level to the finer one.
    """

    __slots__ = ("_length", "_levels")

    def __init__(self, *, length: int = LENGTH) -> None:
        self._length = length
        self._levels = [(array("q"), array("d")) for _ in range(LEVELS)]

    def begin(self, index: int, at_s: float) -> None:
        """Stamp everything up to ``index`` with this time; forget the rest."""
        for indexes, times in self._levels:
            del indexes[:], times[:]
        self._append(0, index, at_s)

    def note(self, index: int, at_s: float) -> None:
        """``index`` was applied now."""
        self._append(0, index, at_s)

    def at(self, index: int) -> float:
        """Return when an index was applied, or a little later; 0.0 of an empty table.

        Of one that is not applied yet: when the last one was.
        """
        indexes, times = self._levels[0]
        recent = len(indexes) - RECENT
        if recent >= 0 and index > indexes[recent]:
            # Nearly always: what was applied a moment ago.
            place = bisect_left(indexes, index, recent)
            return times[place] if place < len(times) else times[-1]
        newest = 0.0
        for indexes, times in reversed(self._levels):
            if not indexes:
                continue
            if index <= indexes[-1]:
                return times[bisect_left(indexes, index)]
            newest = times[-1]
        return newest

    def last_before(self, at_s: float) -> int:
        """Return the newest index that was certainly applied by then; 0 if unknown."""
        found = 0
        for indexes, times in reversed(self._levels):
            place = bisect_left(times, at_s)
            if place:
                found = indexes[place - 1]
            if place < len(times):
                break
        return found

    def _append(self, level: int, index: int, at_s: float) -> None:
        indexes, times = self._levels[level]
        width_s = WIDTH_S * FACTOR**level
        # Time may stand a hair back (see LeaseClock.read): never into another bucket.
        if times and at_s // width_s <= times[-1] // width_s:
            indexes[-1] = index
            times[-1] = max(times[-1], at_s)
            return
        indexes.append(index)
        times.append(at_s)
        if len(indexes) > 2 * self._length:
            self._move_older(level)

    def _move_older(self, level: int) -> None:
        """Let the older half go to the next level, or, from the last, for good.

        What falls off the end is stamped by the oldest that is left: later, so safe.
        """
        indexes, times = self._levels[level]
        if level + 1 < LEVELS:
            for index, at_s in zip(
                indexes[: self._length], times[: self._length], strict=True
            ):
                self._append(level + 1, index, at_s)
        del indexes[: self._length], times[: self._length]
