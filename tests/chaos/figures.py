"""What a run measured beside its verdict: how fast it went on, and what it cost.

Pure functions over the evidence. Availability is measured by who asks: the longest time
without an acknowledgement between a fault and the first write that was sent after it
and done.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from bench.figures import Figure
from tests.chaos.evidence import DONE, Call, Evidence, Fault, Look
from tests.chaos.moments import (
    began_s,
    ended_s,
    is_acknowledged,
    leader_at,
    leaders,
    percentile,
)
from tests.chaos.nemesis import LONG_CALM_S
from tests.chaos.read_latency import read_figures

KILLED_P50_S = 0.4
KILLED_WORST_S = 1.0
CUT_WORST_S = 1.0
MEANS_RATIO = 1.2
MEANS_SLACK = 8
"""Files and tasks come and go with connections; a leak of a long run is far more."""
LONG_RUN_S = 3_000.0
"""A shorter run ends while what is bounded still fills: of this load, the memory of
20,000 registrations that are gone takes eight minutes. So its means are not judged."""
EDGE = 0.1
"""Means are compared over a tenth of a run: its last, and one near its start, not the
first, in which they fill."""
FILLED_S = 1_100.0
"""In a long run, which begins with the death of a majority, that tenth begins here."""
ONE_LIFE_S = 60.0
"""In the calm at the end of a long run nothing is restarted: its first and last minute
show what one process leaks."""
ENDS_LEADER = ("kill", "power_cut")
MEANS: dict[str, Callable[[Look], float]] = {
    "memory": lambda look: look.memory_bytes / 2**20,
    "open files": lambda look: look.open_files,
    "tasks": lambda look: look.tasks,
}


def figures(evidence: Evidence) -> list[Figure]:
    """Return all of them, in the order in which they are shown."""
    return [
        *_throughput(evidence),
        *_resumption(evidence),
        *read_figures(evidence),
        *_means(evidence),
    ]


# -- writes


def _throughput(evidence: Evidence) -> Iterator[Figure]:
    took_s = max(ended_s(evidence) - began_s(evidence), 1e-9)
    calls = evidence.of(Call)
    writes = sum(map(is_acknowledged, calls))
    reads = sum(call.op == "list" and call.outcome == DONE for call in calls)
    faults = sum(not fault.is_over for fault in evidence.of(Fault))
    yield Figure("length of the run", f"{took_s:,.0f} s")
    yield Figure("faults", f"{faults:,}")
    yield Figure("acknowledged writes", f"{writes:,} ({writes / took_s:,.0f} / s)")
    yield Figure("answered reads", f"{reads:,} ({reads / took_s:,.0f} / s)")


def gaps_s(evidence: Evidence, faults: Sequence[Fault]) -> list[float]:
    """Return for each fault the longest time without an acknowledgement after it.

    Up to the first acknowledged write that was sent when the fault was there: an
    earlier one may have been on its way already. A fault that was over before such a
    write came counts until then.
    """
    writes = [call for call in evidence.of(Call) if is_acknowledged(call)]
    returned = sorted(call.returned_s for call in writes)
    writes.sort(key=lambda call: call.invoked_s)
    invoked = [call.invoked_s for call in writes]
    soonest = [math.inf] * (len(writes) + 1)
    for number in range(len(writes) - 1, -1, -1):
        soonest[number] = min(writes[number].returned_s, soonest[number + 1])
    end_s = ended_s(evidence)
    found = []
    for fault in faults:
        resumed_s = min(soonest[bisect_left(invoked, fault.done_s)], end_s)
        first = bisect_right(returned, fault.began_s)
        last = bisect_left(returned, resumed_s)
        between = [fault.began_s, *returned[first:last], resumed_s]
        found.append(max(after - before for before, after in pairwise(between)))
    return found


def lone_faults(evidence: Evidence, verbs: Sequence[str]) -> list[Fault]:
    """Return the faults of these kinds that found all others well and left a majority.

    The first of several at once has no time of its own; the next would be added to it.
    """
    spare = (len(evidence.run.nodes) - 1) // 2
    alone = []
    open_on: set[str] = set()
    faults = evidence.of(Fault)
    for number, fault in enumerate(faults):
        if fault.is_over:
            open_on.difference_update(fault.targets)
            continue
        follower = faults[number + 1] if number + 1 < len(faults) else None
        is_first = not open_on
        open_on.update(fault.targets)
        is_last = follower is None or follower.is_over or follower.verb == "wipe"
        if fault.verb in verbs and is_first and is_last and len(fault.targets) <= spare:
            alone.append(fault)
    return alone


def _resumption(evidence: Evidence) -> Iterator[Figure]:
    changes = leaders(evidence)

    def is_of_leader(fault: Fault) -> bool:
        return leader_at(changes, fault.began_s) in fault.targets

    killed = [f for f in lone_faults(evidence, ENDS_LEADER) if is_of_leader(f)]
    cut = lone_faults(evidence, ("partition",))
    cut_leaders = [fault for fault in cut if is_of_leader(fault)]
    kinds = (
        ("leader killed", killed, KILLED_P50_S, KILLED_WORST_S),
        ("leader cut off", cut_leaders, math.inf, CUT_WORST_S),
        ("follower cut off", [f for f in cut if f not in cut_leaders], 1.0, 1.0),
    )
    for kind, faults, p50_limit, worst_limit in kinds:
        gaps = sorted(gaps_s(evidence, faults))
        name = f"{kind}, time without an acknowledged write"
        if not gaps:
            yield Figure(name, "did not happen")
            continue
        count = f"{len(gaps)} time{'s' * (len(gaps) > 1)}"
        yield _at_most(f"{name}, p50 of {count}", percentile(gaps, 0.5), p50_limit, "s")
        yield _at_most(f"{name}, worst of {count}", gaps[-1], worst_limit, "s")


# -- memory, files, tasks


def _means(evidence: Evidence) -> Iterator[Figure]:
    start_s, end_s = began_s(evidence), ended_s(evidence)
    edge_s = max(EDGE * (end_s - start_s), 1e-9)
    is_long = end_s - start_s >= LONG_RUN_S
    first_s = start_s + (FILLED_S if is_long else edge_s)
    spans = {"near the start and at the end": (first_s, end_s - edge_s, edge_s)}
    if is_long:
        # Quiet from when the last client has stopped.
        spans["in one life"] = (
            end_s - LONG_CALM_S + ONE_LIFE_S,
            end_s - 2 * ONE_LIFE_S,
            ONE_LIFE_S,
        )
    for replica in evidence.run.nodes:
        own = [look for look in evidence.of(Look) if look.replica == replica]
        for when, (one_s, other_s, lasts_s) in spans.items():
            first = [look for look in own if 0 <= look.at_s - one_s <= lasts_s]
            last = [look for look in own if 0 <= look.at_s - other_s <= lasts_s]
            if first and last:
                yield from _compared(f"{replica}, {when}", first, last, is_long)
            else:
                yield Figure(f"{replica}, {when}: memory, files, tasks", "no looks")


def _compared(
    where: str, first: list[Look], last: list[Look], is_judged: bool
) -> Iterator[Figure]:
    for what, measure in MEANS.items():
        was, now = median(map(measure, first)), median(map(measure, last))
        slack = 0 if what == "memory" else MEANS_SLACK
        yield Figure(
            f"{where}: {what}",
            f"{was:,.0f} → {now:,.0f}{' MiB' * (what == 'memory')}",
            f"<= {MEANS_RATIO:g} x{f' + {slack}' * bool(slack)}" * is_judged,
            met=now <= MEANS_RATIO * was + slack if is_judged else None,
        )


def _at_most(name: str, value: float, limit: float, unit: str) -> Figure:
    if math.isinf(limit):
        return Figure(name, _told(value, unit))
    target = f"<= {limit:g} {unit}".rstrip()
    return Figure(name, _told(value, unit), target, met=value <= limit)


def _told(value: float, unit: str) -> str:
    if math.isnan(value):
        return "none"
    return f"{value:,.3f} {unit}" if unit == "s" else f"{value:,.2f} {unit}".rstrip()
