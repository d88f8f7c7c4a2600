"""No empty answer from a service that is there, no failed read where no fault is."""

import math
from collections.abc import Iterable, Iterator

from tests.chaos.checkers.calls import by_service, is_answer, place
from tests.chaos.checkers.lifetimes import LIVED, lifetimes
from tests.chaos.evidence import DONE, Call, Evidence
from tests.chaos.findings import Finding
from tests.chaos.spans import Spans, by_replica

NAME = "answers"
NEVER_EMPTY = (*LIVED, "kept-0")


def check_answers(evidence: Evidence) -> list[Finding]:
    """Demand that lists are not empty, and that plain ones succeed."""
    lists = by_service(evidence, lambda c: c.op == "list")
    findings: list[Finding] = []
    for service in NEVER_EMPTY:
        calls = [c for c in lists.get(service, []) if is_answer(c, "list")]
        findings += _empty(evidence, service, calls)
    findings += _failed(evidence, (c for calls in lists.values() for c in calls))
    return findings


def _empty(evidence: Evidence, service: str, calls: list[Call]) -> Iterator[Finding]:
    """Find empty lists of a service that every replica had known, and that was there.

    From the first instance on, until there may have been none, no state of the log was
    without any; so none that a replica may show, however late it is.
    """
    known_s = _known_everywhere(evidence, calls)
    lives = (span for life in lifetimes(evidence, service) for span in life.spans)
    _, until_s = next(iter(Spans(lives).merged), (0.0, 0.0))
    for call in calls:
        is_judged = known_s <= call.invoked_s and call.returned_s < until_s
        if is_judged and not call.listed:
            text = f"an empty list of {service}, which was never empty"
            yield Finding(NAME, call.returned_s, f"{text} ({place(call)})")


def _known_everywhere(evidence: Evidence, calls: list[Call]) -> float:
    """Return when each replica had shown somebody."""
    first_s: dict[str, float] = {}
    for call in calls:
        if call.listed:
            earlier_s = first_s.get(call.replica, math.inf)
            first_s[call.replica] = min(earlier_s, call.returned_s)
    return max(first_s.get(node_id, math.inf) for node_id in evidence.run.nodes)


def _failed(evidence: Evidence, calls: Iterable[Call]) -> Iterator[Finding]:
    """Find plain lists that failed at a replica on which there was no fault."""
    faults = by_replica(evidence)
    for call in calls:
        if call.outcome == DONE or call.is_consistent or call.min_index:
            continue
        if faults.overlaps(call.replica, call.invoked_s, call.returned_s):
            continue
        text = (
            f"a list of {call.service} failed at {call.replica}, which had no fault: "
            f"{call.code or call.outcome} ({place(call)})"
        )
        yield Finding(NAME, call.returned_s, text)
