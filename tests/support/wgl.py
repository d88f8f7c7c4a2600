"""Is a history linearizable? The search of Wing & Gong, with Lowe's memoisation.

It looks for an order of all operations that a single object could have executed,
in which each takes effect between its call and its return. Objects (keys) are
independent, and linearizability is local, so each key is checked alone: the cost is
exponential only in the operations that overlap on one key.

The search walks a linked list of calls and returns in the order of time. At a call
it may let the operation take effect now (its call and return are lifted out, and
the walk begins anew). At a return that is still in the list it must go back: that
operation had to take effect before. A pair (set of operations, state) that was seen
before is not searched again.
"""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from tests.support.history import History, Operation

Step = Callable[[Hashable, Operation], Hashable]
"""The model: the state after the operation, or ``IMPOSSIBLE``.

An operation whose ``returned_s`` is None fits with whatever result.
"""

IMPOSSIBLE = object()
STEP_LIMIT = 2_000_000
_END = -1


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a key's history is not linearizable (or ``gave_up``: nobody knows)."""

    key: Hashable
    stuck: Operation | None
    """The first operation that the longest order found could not place."""
    placed: int
    gave_up: bool = False


def check(history: History, step: Step, *, initial: Hashable) -> list[Finding]:
    """Check each key of ``history``; an empty list means linearizable."""
    findings = (
        check_key(key, operations, step, initial=initial)
        for key, operations in history.by_key().items()
    )
    return [finding for finding in findings if finding is not None]


def check_key(
    key: Hashable,
    operations: list[Operation],
    step: Step,
    *,
    initial: Hashable,
    step_limit: int = STEP_LIMIT,
) -> Finding | None:
    """Check one object's operations, in the order of their invocation."""
    events = _Events(operations)
    required = sum(1 << i for i, o in enumerate(operations) if o.returned_s is not None)
    state, placed, best = initial, 0, 0
    chosen: list[tuple[int, Hashable, int]] = []
    seen: set[tuple[int, Hashable]] = set()
    at = events.first()
    for _ in range(step_limit):
        if placed & required == required:
            return None
        if at != _END and events.is_call(at):
            number = events.operation(at)
            after = step(state, operations[number])
            progress = (placed | 1 << number, after)
            if after is IMPOSSIBLE or progress in seen:
                at = events.next(at)
                continue
            seen.add(progress)
            chosen.append((number, state, at))
            placed, state = progress
            if placed.bit_count() > best.bit_count():
                best = placed
            events.lift(number)
            at = events.first()
        elif chosen:
            number, state, at = chosen.pop()
            placed &= ~(1 << number)
            events.put_back(number)
            at = events.next(at)
        else:
            stuck = _first_missing(operations, best & required, required)
            return Finding(key, stuck, placed=best.bit_count())
    return Finding(key, None, placed=best.bit_count(), gave_up=True)


class _Events:
    """Calls and returns in the order of time, as a list that things are lifted from.

    Position 0 is the head. At equal times calls come before returns: such
    operations overlap.
    """

    def __init__(self, operations: list[Operation]) -> None:
        moments: list[tuple[float, int, int]] = []
        for number, operation in enumerate(operations):
            end = operation.returned_s
            moments.append((operation.invoked_s, 0, number))
            moments.append((math.inf if end is None else end, 1, number))
        moments.sort()
        count = len(moments)
        self._next: list[int] = [*range(1, count + 1), _END]
        self._previous: list[int] = list(range(-1, count))
        self._moments = moments
        self._call = [0] * len(operations)
        self._return = [0] * len(operations)
        for position, (_, is_return, number) in enumerate(moments, 1):
            (self._return if is_return else self._call)[number] = position

    def first(self) -> int:
        return self._next[0]

    def next(self, position: int) -> int:
        return self._next[position]

    def is_call(self, position: int) -> bool:
        return self._moments[position - 1][1] == 0

    def operation(self, position: int) -> int:
        return self._moments[position - 1][2]

    def lift(self, number: int) -> None:
        """Take the operation's call and return out of the list."""
        for position in (self._call[number], self._return[number]):
            before, after = self._previous[position], self._next[position]
            self._next[before] = after
            if after != _END:
                self._previous[after] = before

    def put_back(self, number: int) -> None:
        """Undo ``lift``; the last lifted comes back first."""
        for position in (self._return[number], self._call[number]):
            before, after = self._previous[position], self._next[position]
            self._next[before] = position
            if after != _END:
                self._previous[after] = position


def _first_missing(
    operations: list[Operation], placed: int, required: int
) -> Operation | None:
    missing: Iterable[Operation] = (
        operation
        for number, operation in enumerate(operations)
        if required >> number & 1 and not placed >> number & 1
    )
    return next(iter(missing), None)
