"""What the figures and the page take from the evidence: spans, moments and who led."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from tests.chaos.evidence import DONE, Call, Evidence, Fault, Look
from tests.chaos.recorded import REMEDIES
from tests.chaos.spans import Span


def began_s(evidence: Evidence) -> float:
    """Return when the run began."""
    return evidence.run.began_s


def ended_s(evidence: Evidence) -> float:
    """Return when the last thing was seen, endings left aside."""
    times = [began_s(evidence)]
    times += [call.returned_s for call in evidence.of(Call)[-1000:]]
    times += [fault.done_s for fault in evidence.of(Fault)[-100:]]
    times += [look.at_s for look in evidence.of(Look)[-100:]]
    return max(times)


def is_acknowledged(call: Call) -> bool:
    """Whether it is a write to the log that was answered as done."""
    return call.outcome == DONE and call.op in ("register", "deregister")


def is_plain_read(call: Call) -> bool:
    """Whether it is a read that any replica answers from memory."""
    return call.op == "list" and not call.is_consistent and not call.min_index


def leader_spans(evidence: Evidence) -> dict[str, list[Span]]:
    """Return per replica when it said that it led, from its first look to its last."""
    spans: dict[str, list[Span]] = {n: [] for n in evidence.run.nodes}
    last: dict[str, tuple[int, float]] = {}
    for look in evidence.of(Look):
        if look.role != "leader":
            last.pop(look.replica, None)
            continue
        own = spans.setdefault(look.replica, [])
        if look.replica in last and last[look.replica][0] == look.term:
            own[-1] = (own[-1][0], look.at_s)
        else:
            own.append((look.at_s, look.at_s))
        last[look.replica] = (look.term, look.at_s)
    return spans


def leaders(evidence: Evidence) -> list[tuple[float, str]]:
    """Return who led in the newest term, from each moment on when that changed."""
    changes: list[tuple[float, str]] = []
    newest = -1
    for look in evidence.of(Look):
        if look.role == "leader" and look.term > newest:
            newest = look.term
            changes.append((look.at_s, look.replica))
    return changes


def leader_at(changes: Sequence[tuple[float, str]], at_s: float) -> str:
    """Return who had last been seen to lead before a moment."""
    number = bisect_left(changes, (at_s, ""))
    return changes[number - 1][1] if number else ""


def fault_spans(evidence: Evidence) -> Iterator[tuple[str, Fault, float]]:
    """Yield each fault per target, and when it was over: when its remedy was done."""
    open_faults: dict[str, list[Fault]] = {n: [] for n in evidence.run.nodes}
    for fault in evidence.of(Fault):
        for node_id in fault.targets:
            own = open_faults[node_id]
            if not fault.is_over:
                own.append(fault)
                continue
            for begun in list(own):
                if REMEDIES[begun.verb][-1] == fault.verb:
                    own.remove(begun)
                    yield node_id, begun, fault.done_s
    end_s = ended_s(evidence)
    for node_id, left in open_faults.items():
        for begun in left:
            yield node_id, begun, end_s


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of these do not exceed; nan if there are none."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
