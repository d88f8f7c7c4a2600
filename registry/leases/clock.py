"""Lease time: a clock that runs only while the registry could take a proof of life.

    able, seen at least every 0.25 s --> runs
    loop stood still, SIGSTOP, sleep --> that span counts nothing
    unable (no leader, no quorum, nothing commits) --> stands, and owes what had passed
                                                       before it was noticed

So a deadline in this time is never early by a span in which nobody could have renewed
(I4), whatever stopped us. Each replica keeps its own; only differences have a meaning.
Pure: the caller tells monotonic time.
"""

LONGEST_SPAN_S = 0.25
"""Observations that are further apart: somebody stood still, and nothing counts."""

MOST_OWED_S = 1.0
"""A leader without a majority goes on for 0.55 s, and is missed after 0.35 s."""


class LeaseClock:
    """Invariant: what is counted never goes back, nor gains on the time it is told.

    What is read may be ahead of it, by LONGEST_SPAN_S at most.
    """

    __slots__ = (
        "_able",
        "_counted_s",
        "_debt_s",
        "_doubt_s",
        "_observed_s",
        "_value_s",
    )

    def __init__(self) -> None:
        self._value_s = 0.0
        self._observed_s: float | None = None
        self._able = False
        self._counted_s: float | None = None
        """Up to when time was counted last."""
        self._doubt_s = 0.0
        self._debt_s = 0.0
        """Counted, but should not have been: paid off before time counts again."""

    def observe(self, now_s: float, *, able: bool, unnoticed_s: float = 0.0) -> None:
        """Count the time since the last observation, if it counts.

        ``unnoticed_s``: how long the trouble has lasted already that makes it unable.
        """
        span_s = self._span_s(now_s)
        if self._able and able:
            paid_s = min(span_s, self._debt_s)
            self._debt_s -= paid_s
            self._value_s += span_s - paid_s
            self._counted_s = now_s
        elif not able and self._counted_s is not None:
            # This span is not counted; what lies before it may have been. Not the sum:
            # while something is owed nothing is counted.
            ago_s = unnoticed_s - (now_s - self._counted_s)
            self._debt_s = max(self._debt_s, min(MOST_OWED_S, ago_s))
        self._able = able
        self._doubt_s = max(0.0, min(unnoticed_s, 1.0)) if able else 0.0
        self._observed_s = now_s

    def read(self, now_s: float) -> float:
        """Return lease time; at most LONGEST_SPAN_S ahead of what will be counted."""
        if not self._able:
            return self._value_s
        return self._value_s + max(0.0, self._span_s(now_s) - self._debt_s)

    def sure(self, now_s: float) -> float:
        """Return lease time without what may yet turn out not to count."""
        if not self._able:
            return self._value_s - self._debt_s
        return self._value_s + self._span_s(now_s) - self._debt_s - self._doubt_s

    def _span_s(self, now_s: float) -> float:
        if self._observed_s is None:
            return 0.0
        span_s = max(0.0, now_s - self._observed_s)
        return 0.0 if span_s > LONGEST_SPAN_S else span_s
