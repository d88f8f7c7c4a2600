"""The judgement of one instance: what follows from a probe, and when the next is due.

Pure. The status is always the catalog's (``follow``); a judgement only says what should
be proposed, again with each probe until the catalog shows it. So a proposal that is
lost needs no care: the next probe asks for it again.

    starting, healthy --`failures` failed in a row--> SUSPECT (second opinion)
    starting, unhealthy, expired --`successes` passed--> PASS
    unhealthy and flapping --passed--> HOLD, until passed for a whole interval --> PASS

Pace, from the beginning of one probe to that of the next:

    new registration             1 s until the first success, for at most one interval
    healthy, unreachable         1 s for what is left of `failures`: it was told at once
    otherwise failed or passed   the interval
    unhealthy                    1, 2, 4 … s up to the interval
    expired                      1, 2, 4 … s anew, up to 300 s
    passed, but not yet enough   1 s; held as flapping: 1, 1, 2, 4 … s

After `failures` the pace is the interval again: a leader that is cut off from what
others reach must not probe it every second.

The others are asked before `failures` are full where the lease would run out before the
next probe (probes come late when thousands hang at once): their answer may be its only
proof of life. A probe that says nothing of the instance (`is_ours`) counts nothing, and
is made again after at most 10 s.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from registry.health.plan import Plan
from registry.model import Status

SOON_S = 1.0
OURS_PACE_S = 10.0
ANSWERED_S = 2.0
"""What a question takes beside the time-out of the probes, when all is well; a lease
has ``plan.OPINIONS_S`` for it."""
EXPIRED_PACE_S = 300.0
"""The slowest pace at which an expired instance is looked at."""
FLAPPING_CHANGES = 5
FLAPPING_INTERVALS = 5
_REMEMBERED_CHANGES = 16

CHECK_PASSED = "check_passed"
FLAPPING = "flapping"


class Result(Protocol):
    """What is looked at of a ``ports.ProbeResult``."""

    @property
    def passed(self) -> bool:
        """Whether it passed."""

    @property
    def cause(self) -> str:
        """Why, in short."""

    @property
    def is_unreachable(self) -> bool:
        """Refused or without a route."""

    @property
    def is_ours(self) -> bool:
        """It says nothing of the instance."""


class Action(Enum):
    """What should be done after a probe."""

    NOTHING = "nothing"
    SUSPECT = "suspect"
    """Too many failures in a row: unhealthy, if the others agree."""
    PASS = "pass"
    """Turn healthy."""
    HOLD = "hold"
    """It would turn healthy but for its flapping: say so."""


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from one probe."""

    action: Action
    cause: str
    """Empty if there is nothing to do."""
    delay_s: float
    """From the beginning of this probe to that of the next."""
    is_first: bool = False
    """The first success of a new registration: the time to find its own phase."""


class Judgement:
    """What is known of one instance since this leader began, or it registered anew.

    Invariant: of ``failures`` and ``passes``, both in a row, one at least is 0.
    """

    __slots__ = (
        "_ask_at",
        "_asked_s",
        "_changes_s",
        "_life_s",
        "_misses",
        "_passing_since_s",
        "_plan",
        "_seen_s",
        "_warm_until_s",
        "failures",
        "is_expired",
        "passes",
        "status",
    )

    def __init__(self, plan: Plan, status: Status, *, is_expired: bool = False) -> None:
        """Begin with what another leader has judged before: at the slow pace."""
        self._plan = plan
        self.status = status
        self.is_expired = is_expired
        self.failures = 0
        self.passes = 0
        self._ask_at = plan.failures
        self._asked_s = -math.inf
        self._seen_s: float | None = None
        """When the last probe ended."""
        self._life_s: float | None = None
        """The last proof of life: a passed probe, or what the others said."""
        self._changes_s: tuple[float, ...] = ()
        self._passing_since_s: float | None = None
        self._warm_until_s = -math.inf
        """Until then a new registration is probed at the quick pace."""
        self._misses = math.ceil(math.log2(plan.interval_s / self._soon_s))
        """Failed probes since it turned unhealthy; decides the back-off."""

    @classmethod
    def of_new(
        cls,
        plan: Plan,
        status: Status,
        *,
        now_s: float,
        former: "Judgement | None" = None,
    ) -> "Judgement":
        """Begin with a new registration; of the one before, only flapping is left."""
        judgement = cls(plan, status)
        judgement._warm_until_s = now_s + plan.interval_s
        judgement._misses = 0
        judgement._life_s = now_s
        if former is not None:
            judgement._changes_s = former._changes_s
            if former.status is not status:
                judgement._note_change(now_s)
        return judgement

    def follow(self, status: Status, *, is_expired: bool, now_s: float) -> bool:
        """Take over what the catalog shows; True if it has just turned unhealthy."""
        if is_expired and not self.is_expired:
            self._misses = 0  # The slowest pace is another one from now on.
        self.is_expired = is_expired
        if status is self.status:
            return False
        self.status = status
        self.failures = self.passes = self._misses = 0
        self._ask_at = self._plan.failures
        self._passing_since_s = None
        self._note_change(now_s)
        return status is Status.UNHEALTHY

    def observe(self, result: Result, now_s: float) -> Step:
        """Count one probe's result; return what should be done, and when to go on."""
        plan = self._plan
        gap_s = now_s - self._seen_s if self._seen_s is not None else 0.0
        self._seen_s = now_s
        if self._life_s is None:  # A former leader's: the log's is no older than that.
            self._life_s = now_s - plan.lease_s / 3
        if result.passed:
            self._life_s = now_s
            return self._passed(now_s)
        ends_s = self._life_s + plan.lease_s
        answered_s = now_s + max(gap_s, plan.interval_s) + plan.timeout_s + ANSWERED_S
        is_ending = plan.lease_s > 0 and answered_s > ends_s
        if result.is_ours:
            return self._unknown(result, is_ending=is_ending)
        return self._failed(result, now_s, is_ending=is_ending)

    def asked(self, now_s: float) -> None:
        """Note that the others disagreed: ask again after as many failures.

        Or earlier, where the lease would run out before: their answer is its life.
        """
        self._ask_at = self.failures + self._plan.failures
        self._asked_s = self._life_s = now_s

    @property
    def is_ailing(self) -> bool:
        """Whether its next probe may well take its whole time-out."""
        is_untried = self._warm_until_s > -math.inf
        return self.status is Status.UNHEALTHY or self.failures > 0 or is_untried

    @property
    def soon_s(self) -> float:
        """The quick pace."""
        return self._soon_s

    @property
    def _soon_s(self) -> float:
        return min(SOON_S, self._plan.interval_s)

    def _passed(self, now_s: float) -> Step:
        interval_s = self._plan.interval_s
        self.failures = self._misses = 0
        self.passes += 1
        self._ask_at = self._plan.failures
        is_first = self._warm_until_s > -math.inf
        self._warm_until_s = -math.inf
        if self._passing_since_s is None:
            self._passing_since_s = now_s
        if self.status is Status.HEALTHY and not self.is_expired:
            return Step(Action.NOTHING, "", interval_s, is_first)
        if self.passes < self._plan.successes:
            return Step(Action.NOTHING, "", self._soon_s)
        passing_s = now_s - self._passing_since_s
        changes = self._recent_changes(now_s)
        if (
            self.status is not Status.UNHEALTHY
            or changes < FLAPPING_CHANGES
            or passing_s >= interval_s
        ):
            return Step(Action.PASS, CHECK_PASSED, interval_s, is_first)
        cause = (
            f"{FLAPPING}: {changes} changes in {FLAPPING_INTERVALS * interval_s:g} s; "
            f"must pass for {interval_s:g} s"
        )
        delay_s = max(self._soon_s, min(passing_s, interval_s - passing_s))
        return Step(Action.HOLD, cause, delay_s)

    def _unknown(self, result: Result, *, is_ending: bool) -> Step:
        delay_s = min(OURS_PACE_S, self._plan.interval_s)
        if self.status is Status.UNHEALTHY or not is_ending:
            return Step(Action.NOTHING, "", delay_s)
        cause = f"check_failed: seen by the other replicas (here: {result.cause})"
        return Step(Action.SUSPECT, cause, delay_s)

    def _failed(self, result: Result, now_s: float, *, is_ending: bool) -> Step:
        plan = self._plan
        self.passes = 0
        self._passing_since_s = None
        self.failures += 1
        is_warm = now_s < self._warm_until_s
        if self.status is Status.UNHEALTHY:
            slowest_s = plan.interval_s
            if self.is_expired:
                slowest_s = max(slowest_s, EXPIRED_PACE_S)
            self._misses = min(self._misses + 1, 20)
            delay_s = min(slowest_s, self._soon_s * 2**self._misses)
            return Step(Action.NOTHING, "", self._soon_s if is_warm else delay_s)
        is_enough = self.failures >= plan.failures
        is_quick = is_warm or (result.is_unreachable and not is_enough)
        delay_s = self._soon_s if is_quick else plan.interval_s
        if not is_ending and not (is_enough and self._asks(now_s)):
            return Step(Action.NOTHING, "", delay_s)
        failures = min(self.failures, plan.failures)
        cause = f"check_failed: {result.cause} ({failures} of {plan.failures})"
        return Step(Action.SUSPECT, cause, delay_s)

    def _asks(self, now_s: float) -> bool:
        plan = self._plan
        if self.failures >= self._ask_at:
            return True
        next_s = now_s + plan.interval_s
        return plan.lease_s > 0 and next_s > self._asked_s + plan.lease_s / 3

    def _note_change(self, now_s: float) -> None:
        self._changes_s = (*self._changes_s, now_s)[-_REMEMBERED_CHANGES:]

    def _recent_changes(self, now_s: float) -> int:
        since_s = now_s - FLAPPING_INTERVALS * self._plan.interval_s
        return sum(1 for change_s in self._changes_s if change_s >= since_s)
