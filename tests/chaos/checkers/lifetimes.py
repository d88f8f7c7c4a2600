"""When each instance certainly lived: the truth that lists are measured by.

One of a permanent service lives from its acknowledged register until a deregister
begins. One that is checked lives while its endpoint passes besides, and one that beats
while its heartbeats arrive: when none was acknowledged for a TTL, it may go, unless
there was no majority that could have taken one.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.checkers.calls import by_id, is_answer, may_count
from tests.chaos.evidence import UNKNOWN, Call, Evidence, Life
from tests.chaos.spans import Span, Spans, anywhere, headless

BEATING = "beating"
CHECKED = "checked"
LIVED = (BEATING, CHECKED)
VERDICT_S = 3.5
"""An interval of the checks, and what the replicas may take to agree."""
SLACK_S = 3.0
FAULT_COSTS_S = 3.0
"""What a fault may add while most replicas are well: the leader may change, and what
was counted is counted anew; opinions of who is cut off are waited for.
"""
RISES = frozenset({"beats", "answers"})


@dataclass
class Lifetime:
    """One instance."""

    service: str
    service_id: str
    spans: list[Span] = field(default_factory=list)
    """When it must be listed, once it was shown."""
    settled: list[Span] = field(default_factory=list)
    """When it must be listed everywhere, shown before or not."""
    dead: list[Span] = field(default_factory=list)
    """When it must not be listed any more."""
    falls: list[Span] = field(default_factory=list)
    """When it had a reason to leave the list, and until when that may show."""
    last_event: str = ""
    """Of its life."""

    def lives(self, from_s: float, to_s: float) -> bool:
        """Whether it certainly lived from then to then."""
        return any(begin_s <= from_s and to_s <= end_s for begin_s, end_s in self.spans)

    def is_settled(self, from_s: float, to_s: float) -> bool:
        """Whether every list from then to then must show it."""
        return any(
            begin_s < from_s and to_s <= end_s for begin_s, end_s in self.settled
        )

    def dead_since(self, from_s: float, to_s: float) -> float | None:
        """Return since when it must not be listed, if so from then to then."""
        for begin_s, end_s in self.dead:
            if begin_s < from_s and to_s <= end_s:
                return begin_s
        return None


class Patience:
    """How long it may take until the truth shows."""

    def __init__(self, evidence: Evidence) -> None:
        self.ttl_s = evidence.run.ttl_s
        self._faults = anywhere(evidence)
        self._headless = headless(evidence)

    def shown_by(self, event: str, at_s: float, *, ill_s: float = 0.0) -> float:
        """Return when what happened must show everywhere; faults give more time.

        ``ill_s``: for how long it was down before: it is probed with back-off, so that
        the next look at it may be as far away.
        """
        expiry_s = self.ttl_s if event in ("silent", "beats") else VERDICT_S
        wait_s = expiry_s + SLACK_S + ill_s
        by_s = self._headless.calm_after(at_s, wait_s)
        faults = self._faults.count(at_s, by_s)
        return self._headless.calm_after(at_s, wait_s + FAULT_COSTS_S * faults)

    def lease_end(self, proof: Call) -> float:
        """Return when a lease may run out at the earliest."""
        return self._headless.calm_after(proof.invoked_s, self.ttl_s)


def lifetimes(evidence: Evidence, service: str) -> list[Lifetime]:
    """Return the instances of a service of which it is known."""
    calls = by_id(
        c for c in evidence.of(Call) if c.service == service and c.op != "list"
    )
    events: dict[str, list[Life]] = {}
    for life in sorted(evidence.of(Life), key=lambda life: life.at_s):
        if life.service == service:
            events.setdefault(life.service_id, []).append(life)
    patience = Patience(evidence)
    return [
        _lifetime(service, i, its, events.get(i, []), patience)
        for i, its in sorted(calls.items())
    ]


def _lifetime(
    service: str,
    service_id: str,
    calls: list[Call],
    events: list[Life],
    patience: Patience,
) -> Lifetime:
    lifetime = Lifetime(service, service_id)
    registered_s = min(
        (c.returned_s for c in calls if is_answer(c, "register")), default=math.inf
    )
    leaves_s = [c.invoked_s for c in calls if may_count(c, "deregister")]
    fell_s = [e.at_s for e in events if e.event not in RISES]
    # One that was not answered may have begun a lease that nobody renewed.
    unsure_s = [
        c.invoked_s for c in calls if c.op == "register" and c.outcome == UNKNOWN
    ]
    known = [(registered_s, min(leaves_s, default=math.inf))]
    if service in LIVED:
        known = _both(known, _living(events))
        lifetime.dead = _dead(events, patience)
        lifetime.last_event = events[-1].event if events else ""
    gaps = _gaps(calls, patience) if service == BEATING else []
    if service == BEATING:
        known = _both(known, _outside(gaps))
    rise = "beats" if service == BEATING else "answers"
    shown_until_s = -math.inf  # certainly seen to live
    for number, (begin_s, end_s) in enumerate(known):
        # What brought it down before may still be under way when it is up again.
        is_back = number > 0 or min(fell_s, default=math.inf) <= begin_s
        # Not since its last fall: it may have been up unseen, between two probes.
        down_s = [s for s in fell_s if shown_until_s <= s <= begin_s]
        ill_s = begin_s - min(down_s) if down_s and service == CHECKED else 0.0
        settled_s = patience.shown_by(rise, begin_s, ill_s=ill_s)
        from_s = settled_s if is_back else begin_s
        if from_s < end_s:
            lifetime.spans.append((from_s, end_s))
        if settled_s < end_s:
            lifetime.settled.append((settled_s, end_s))
            shown_until_s = end_s
    lifetime.falls = [
        *_reasons(events, gaps, leaves_s, patience),
        *((invoked_s, math.inf) for invoked_s in unsure_s),
    ]
    return lifetime


def _reasons(
    events: list[Life],
    gaps: list[Span],
    leaves_s: list[float],
    patience: Patience,
) -> list[Span]:
    """Return each reason to leave the list, and until when it may show.

    What comes while it has not risen again since the last is no other one: who goes
    silent and is deregistered then, or expires, leaves once.
    """
    rises_s = [event.at_s for event in events if event.event in RISES]
    rises_s += [end_s for _, end_s in gaps]
    falls = [
        (event.at_s, patience.shown_by(event.event, event.at_s))
        for event in events
        if event.event not in RISES
    ]
    falls += gaps
    falls += [(left_s, math.inf) for left_s in leaves_s]
    reasons: list[Span] = []
    for from_s, to_s in sorted(falls):
        if reasons and not any(reasons[-1][0] < s <= from_s for s in rises_s):
            reasons[-1] = (reasons[-1][0], max(reasons[-1][1], to_s))
        else:
            reasons.append((from_s, to_s))
    return reasons


def _living(events: list[Life]) -> list[Span]:
    """Return from which rise to which fall it lived."""
    spans: list[Span] = []
    rose_s: float | None = None
    for event in events:
        if event.event in RISES and rose_s is None:
            rose_s = event.at_s
        elif event.event not in RISES and rose_s is not None:
            spans.append((rose_s, event.at_s))
            rose_s = None
    return spans if rose_s is None else [*spans, (rose_s, math.inf)]


def _dead(events: list[Life], patience: Patience) -> list[Span]:
    """Return from when on each fall must show, to the rise after it."""
    spans: list[Span] = []
    fell: Life | None = None
    for event in events:
        if event.event not in RISES:
            fell = fell or event
        elif fell is not None:
            spans.append((patience.shown_by(fell.event, fell.at_s), event.at_s))
            fell = None
    if fell is not None:
        spans.append((patience.shown_by(fell.event, fell.at_s), math.inf))
    return [(begin_s, end_s) for begin_s, end_s in spans if begin_s < end_s]


def _gaps(calls: list[Call], patience: Patience) -> list[Span]:
    """Return when a lease may have run out for want of an acknowledged proof."""
    proofs = [c for c in calls if is_answer(c, "register") or is_answer(c, "heartbeat")]
    gaps = []
    for proof, following in pairwise(proofs):
        end_s = patience.lease_end(proof)
        if following.returned_s > end_s:
            gaps.append((end_s, following.returned_s))
    return [*gaps, *((patience.lease_end(proof), math.inf) for proof in proofs[-1:])]


def _outside(spans: list[Span]) -> list[Span]:
    """Return the time between spans."""
    merged = Spans(spans).merged
    begins = [-math.inf, *(end_s for _, end_s in merged)]
    ends = [*(begin_s for begin_s, _ in merged), math.inf]
    return list(zip(begins, ends, strict=True))


def _both(ones: list[Span], others: list[Span]) -> list[Span]:
    """Return the time that lies in both."""
    pairs = ((max(a, c), min(b, d)) for a, b in ones for c, d in others)
    return [(begin_s, end_s) for begin_s, end_s in pairs if begin_s < end_s]
