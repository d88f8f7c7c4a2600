"""When faults were: spans of time, from the records of a nemesis. Pure."""

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable

from tests.chaos.evidence import Evidence, Fault, Run
from tests.chaos.recorded import REMEDIES

Span = tuple[float, float]

ENDS_PROCESS = frozenset(
    {"kill", "stop", "power_cut", "wipe", "break_disk", "fill_disk"}
)
"""Faults across which a replica may have begun anew."""


class Spans:
    """Spans of time, made disjoint and put in order."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.merged: list[Span] = []
        for begin_s, end_s in sorted(spans):
            if self.merged and begin_s <= self.merged[-1][1]:
                last_begin_s, last_end_s = self.merged[-1]
                self.merged[-1] = (last_begin_s, max(last_end_s, end_s))
            else:
                self.merged.append((begin_s, end_s))
        self._begins = [begin_s for begin_s, _ in self.merged]

    def overlaps(self, from_s: float, to_s: float) -> bool:
        """Whether any moment from one time to the other lies in a span."""
        number = bisect_right(self._begins, to_s)
        return number > 0 and self.merged[number - 1][1] >= from_s

    def count(self, from_s: float, to_s: float) -> int:
        """Return how many of the spans touch the time from then to then."""
        return sum(
            begin_s <= to_s and from_s <= end_s for begin_s, end_s in self.merged
        )

    def seconds(self, from_s: float, to_s: float) -> float:
        """Return how much of the time from then to then lies in spans."""
        return sum(
            max(0.0, min(end_s, to_s) - max(begin_s, from_s))
            for begin_s, end_s in self.merged
        )

    def calm_after(self, at_s: float, seconds: float) -> float:
        """Return when so much time outside of all spans has passed since then."""
        number = max(0, bisect_right(self._begins, at_s) - 1)
        for begin_s, end_s in self.merged[number:]:
            if end_s <= at_s:
                continue
            if begin_s - at_s >= seconds:
                break
            seconds -= max(0.0, begin_s - at_s)
            at_s = end_s
        return at_s + seconds


def touched(
    evidence: Evidence, verbs: Collection[str] | None = None
) -> dict[str, list[Span]]:
    """Return the spans in which a fault was on each replica; of those verbs, if given.

    Each lasts from when its verb began until the verb that is its remedy was done; one
    without remedy, to the end of time.
    """
    faults = evidence.of(Fault)
    found: dict[str, list[Span]] = {
        node_id: [] for run in evidence.of(Run) for node_id in run.nodes
    }
    remedies = [fault for fault in faults if fault.is_over]
    for fault in faults:
        if fault.is_over or (verbs is not None and fault.verb not in verbs):
            continue
        for node_id in fault.targets:
            ends_s = (
                remedy.done_s
                for remedy in remedies
                if node_id in remedy.targets
                and remedy.began_s >= fault.began_s
                and _is_remedy(remedy.verb, fault.verb)
            )
            span = (fault.began_s, min(ends_s, default=math.inf))
            found.setdefault(node_id, []).append(span)
    return {node_id: Spans(spans).merged for node_id, spans in found.items()}


def by_replica(evidence: Evidence, verbs: Collection[str] | None = None) -> "ByReplica":
    """Return ``touched`` to be asked about any replica, also one without a fault."""
    return ByReplica(touched(evidence, verbs))


class ByReplica:
    """The spans of each replica."""

    def __init__(self, touched: dict[str, list[Span]]) -> None:
        self._spans = {node_id: Spans(spans) for node_id, spans in touched.items()}

    def overlaps(self, replica: str, from_s: float, to_s: float) -> bool:
        """Whether that replica was touched at any moment from then to then."""
        spans = self._spans.get(replica)
        return spans is not None and spans.overlaps(from_s, to_s)


def anywhere(evidence: Evidence) -> Spans:
    """Return when any replica had a fault."""
    return Spans(span for spans in touched(evidence).values() for span in spans)


def headless(evidence: Evidence) -> Spans:
    """Return when fewer replicas than a majority were without a fault."""
    spans_of = touched(evidence)
    moments = [(begin_s, 1) for spans in spans_of.values() for begin_s, _ in spans]
    moments += [(end_s, -1) for spans in spans_of.values() for _, end_s in spans]
    spans: list[Span] = []
    count, most = 0, (len(spans_of) - 1) // 2
    began_s = 0.0
    for at_s, step in sorted(moments):
        if count <= most < count + step:
            began_s = at_s
        elif count > most >= count + step:
            spans.append((began_s, at_s))
        count += step
    return Spans(spans)


def _is_remedy(remedy: str, verb: str) -> bool:
    """Whether one verb puts right what the other did; none is known: any does."""
    return verb not in REMEDIES or REMEDIES[verb][-1] == remedy
