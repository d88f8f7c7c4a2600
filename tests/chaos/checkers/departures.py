"""Are there more departures from the list than reasons, as far back as is remembered?

The history of a service keeps its last lines, without times. So it is read with bounds:
the n-th last departure of an instance came no later than its n-th last reason may show,
and no earlier than its n-th last certain one; and no line is older than one before it.
"""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator

from tests.chaos.checkers.calls import ids_of
from tests.chaos.checkers.lifetimes import Lifetime
from tests.chaos.evidence import Call, Ending
from tests.chaos.spans import Span

HEALTHY = "healthy"
SETTLED_S = 1.0
"""So long after it was acknowledged a change has reached somebody who is asked."""
MOST_LINES = 50
"""So many changes of a service are remembered."""


def seen_to_leave(
    lists: Iterable[Call], nodes: Collection[str]
) -> dict[str, list[float]]:
    """Return after what times each certainly left the lists of a service; last first.

    All replicas showed it, and later none does. One of them at least knows all that
    happened before it is asked: so it left after the first of those lists was asked
    for that were, at each replica, the last to show it.
    """
    last_s: dict[str, dict[str, float]] = defaultdict(dict)
    showing: dict[str, set[str]] = defaultdict(set)
    was_everywhere: set[str] = set()
    found: dict[str, list[float]] = defaultdict(list)
    for call in sorted(lists, key=lambda c: c.invoked_s):
        listed = ids_of(call)
        for service_id in listed:
            last_s[service_id][call.replica] = call.invoked_s
            showing[service_id].add(call.replica)
            if len(showing[service_id]) == len(nodes):
                was_everywhere.add(service_id)
        for service_id in showing.keys() - listed:
            showing[service_id].discard(call.replica)
            if service_id in was_everywhere and not showing[service_id]:
                was_everywhere.remove(service_id)
                found[service_id].append(min(last_s[service_id].values()))
    return {service_id: times[::-1] for service_id, times in found.items()}


class Indexes:
    """What the lists of a service tell of when it changed."""

    def __init__(self, lists: Iterable[Call], nodes: Collection[str]) -> None:
        calls = list(lists)
        self._seen: list[tuple[float, int]] = []
        """The highest index that was returned until then."""
        highest = 0
        for call in sorted(calls, key=lambda c: c.returned_s):
            highest = max(highest, call.index)
            self._seen.append((call.returned_s, highest))
        self._asked: dict[str, list[tuple[float, int]]] = {n: [] for n in nodes}
        for call in sorted(calls, key=lambda c: c.invoked_s):
            self._asked[call.replica].append((call.invoked_s, call.index))

    def is_still(self, span: Span) -> bool:
        """Whether certainly nothing changed then: no replica knows of it later on."""
        from_s, to_s = span
        before = bisect_left(self._seen, (from_s, 0))
        if not before:
            return False
        _, index = self._seen[before - 1]
        for asked in self._asked.values():
            after = bisect_left(asked, (to_s + SETTLED_S, 0))
            if after == len(asked) or asked[after][1] > index:
                return False
        return True


def unexplained(
    all_lives: list[Lifetime],
    seen: dict[str, list[float]],
    indexes: Indexes,
    ending: Ending,
) -> Iterator[str]:
    """Say of each instance of a service whether it left too often.

    ``seen`` is what `seen_to_leave` says. A reason at which nothing changed is none:
    a lease may run out, and be renewed in time.

    A cause such as ``unreachable from b only`` changes no status: it leaves it listed.
    """
    by_id = {life.service_id: life for life in all_lives}
    service = all_lives[0].service if all_lives else ""
    history = ending.changes.get(service, ())
    lines = [
        (service_id, cause)
        for service_id, before, after, cause in history
        if before == HEALTHY != after and service_id in by_id
    ]
    left = Counter(service_id for service_id, _ in lines)
    since_s = -math.inf
    if len(history) >= MOST_LINES:
        # What certainly was a departure and is not shown is older than what is.
        older = (_last(seen.get(i, []), left[i] + 1) for i in by_id)
        since_s = max(older, default=since_s)
    told: set[str] = set()
    for number, (service_id, _) in enumerate(lines):
        life, count = by_id[service_id], left[service_id]
        left[service_id] -= 1
        since_s = max(since_s, _last(seen.get(service_id, []), count))
        shows_s = sorted(
            (
                span[1]
                for span in life.falls
                if span[0] <= ending.at_s and not indexes.is_still(span)
            ),
            reverse=True,
        )
        reasons = sum(to_s >= since_s for to_s in shows_s)
        if count > reasons and service_id not in told:
            told.add(service_id)
            causes = [cause for i, cause in lines[number:] if i == service_id]
            since = f" since {since_s:.3f} s" if since_s > -math.inf else ""
            yield (
                f"{service_id} left the list {count} times{since} with {reasons} "
                f"reasons, says {ending.replica}: {'; '.join(causes)}"
            )


def _last(times_s: list[float], number: int) -> float:
    """Return the last time, the last but one, and so on; of old if there is none."""
    return times_s[number - 1] if number <= len(times_s) else -math.inf
