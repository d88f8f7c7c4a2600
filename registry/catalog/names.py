"""The names of the services, always sorted. Pure."""

from bisect import bisect_left, insort

from registry.model import ServiceName


class SortedNames:
    """Every name once, in order.

    Invariant: what ``all`` gave out is immutable, and is copied once after each change.
    """

    __slots__ = ("_all", "_sorted")

    def __init__(self) -> None:
        self._sorted: list[ServiceName] = []
        self._all: tuple[ServiceName, ...] | None = ()

    def all(self) -> tuple[ServiceName, ...]:
        """Return the names."""
        if self._all is None:
            self._all = tuple(self._sorted)
        return self._all

    def add(self, name: ServiceName) -> None:
        """Enter one that is not there."""
        names = self._sorted
        if not names or names[-1] < name:  # As a restore adds them.
            names.append(name)
        else:
            insort(names, name)
        self._all = None

    def remove(self, name: ServiceName) -> None:
        """Take one out that is there."""
        del self._sorted[bisect_left(self._sorted, name)]
        self._all = None

    def discard(self, count: int) -> None:
        """Let go of about ``count``; nothing holds afterwards."""
        self._all = None
        del self._sorted[-count:]

    def __len__(self) -> int:
        return len(self._sorted)
