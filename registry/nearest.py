"""The known names that a mistyped one may have meant. Pure.

Over up to 100,000 names the event loop must not be held up, so the names come in slices
(``consider``) and pass cheap filters; only what is left is compared letter pair by
letter pair. Rejected: difflib (ten times the cost), and an index of letter pairs kept
for a question that is asked once an hour.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappush, heappushpop

KEPT = 20
"""How many of the names considered are remembered, the nearest ones."""
SLICE_COST = 20_000
"""Of the names to consider before giving the event loop back: a few ms at worst."""
_NAME_COST = 20
"""Of any name, beside one for each of its characters."""

_SEPARATORS = str.maketrans("", "", "-_. ")
_MIN_SCORE = 0.5
_SAME, _INSIDE = 3.0, 1.0


class Nearest:
    """Gathers the nearest of the names considered; never more than ``KEPT``."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._folded = folded(query)
        self._pairs = _pairs(self._folded)
        self._letters = sorted(self._folded)
        self._kept: list[tuple[float, str]] = []

    def consider(self, names: Iterable[str]) -> None:
        """Remember those of the names that may be meant."""
        query, length = self._folded, len(self._folded)
        slack = max(2, length // 3)
        start, end = query[:1], query[-1:]
        for name in names:
            other = folded(name)
            is_similar = abs(len(other) - length) <= slack and (
                other[:1] == start or other[-1:] == end
            )
            if is_similar or self._is_inside(other):
                self._keep(self._score(other), name)

    def best(self, limit: int) -> tuple[str, ...]:
        """Return the nearest, best first; the queried name itself is not one."""
        ranked = sorted(set(self._kept), key=lambda kept: (-kept[0], kept[1]))
        return tuple([name for _, name in ranked if name != self._query][:limit])

    def _keep(self, score: float, name: str) -> None:
        if score < _MIN_SCORE:
            return
        if len(self._kept) < KEPT:
            heappush(self._kept, (score, name))
        elif score > self._kept[0][0]:
            heappushpop(self._kept, (score, name))

    def _is_inside(self, other: str) -> bool:
        query = self._folded
        return (len(query) > 2 and query in other) or (
            len(other) > 2 and other in query
        )

    def _score(self, other: str) -> float:
        if other == self._folded:
            return _SAME
        pairs = _pairs(other)
        score = 2 * len(pairs & self._pairs) / (len(pairs) + len(self._pairs))
        if self._is_inside(other):
            return score + _INSIDE
        if sorted(other) == self._letters:  # Two letters the wrong way round.
            return max(score, _INSIDE)
        return score


def slices(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut names into parts that cost about the same to consider, however long."""
    start = cost = 0
    for end, name in enumerate(names, 1):
        cost += len(name) + _NAME_COST
        if cost >= SLICE_COST:
            yield names[start:end]
            start, cost = end, 0
    if start < len(names):
        yield names[start:]


def folded(name: str) -> str:
    """Return a name without what people mistype first: case and separators."""
    return name.casefold().translate(_SEPARATORS)


def _pairs(text: str) -> set[str]:
    padded = f"^{text}$"
    return {padded[i : i + 2] for i in range(len(padded) - 1)}
