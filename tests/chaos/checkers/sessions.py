"""Do readers see what they were promised, and never an older answer after a newer one?

A read covers what is in the log up to some point: each write at or below its own index
or its ``min_index``; a consistent one also what was acknowledged before it was sent.
"""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from tests.chaos.checkers.calls import (
    WRITES,
    by_id,
    by_service,
    ids_of,
    is_answer,
    is_permanent,
    may_count,
    may_follow,
    place,
)
from tests.chaos.evidence import DONE, Call, Evidence
from tests.chaos.findings import Finding
from tests.chaos.spans import ByReplica, by_replica

NAME = "sessions"


def check_sessions(evidence: Evidence) -> list[Finding]:
    """Demand that reads show what they cover, and that no index goes backward."""
    lists = by_service(evidence, lambda c: is_answer(c, "list"))
    writes = by_service(evidence, _decides)
    wiped = by_replica(evidence, {"wipe"})
    findings: list[Finding] = []
    for service, reads in sorted(lists.items()):
        findings += _unseen(reads, writes.get(service, []))
        findings += _below_floor(reads)
        findings += _backward(reads, wiped)
    return findings


def _decides(call: Call) -> bool:
    """Whether it may decide about an instance that nothing else ends."""
    is_write = call.op in WRITES and may_count(call, call.op)
    return is_write and is_permanent(call.service)


def _covers(read: Call, write: Call) -> bool:
    if read.is_consistent and write.returned_s < read.invoked_s:
        return True
    return 0 < write.index <= max(read.min_index, read.index)


# -- writes that must show


def _unseen(reads: list[Call], writes: list[Call]) -> Iterator[Finding]:
    """Find acknowledged writes that a read covers and does not show.

    A write counts until a later change of its id may have begun. So one sweep along the
    ends of the reads keeps those that count, by op and id.
    """
    counting = sorted(
        _counting(writes), key=lambda pair: pair[0].invoked_s, reverse=True
    )
    held: dict[str, dict[str, Call]] = {"register": {}, "deregister": {}}
    ends: list[tuple[float, int, Call]] = []
    for read in sorted(reads, key=lambda r: r.returned_s):
        while counting and counting[-1][0].invoked_s <= read.returned_s:
            write, until_s = counting.pop()
            held[write.op][write.service_id] = write
            heapq.heappush(ends, (until_s, len(counting), write))
        while ends and ends[0][0] < read.returned_s:
            _, _, write = heapq.heappop(ends)
            if held[write.op].get(write.service_id) is write:
                del held[write.op][write.service_id]
        listed = ids_of(read)
        missing = [held["register"][i] for i in held["register"].keys() - listed]
        ended = [held["deregister"][i] for i in listed if i in held["deregister"]]
        for write in missing + ended:
            if _covers(read, write):
                yield Finding(NAME, read.returned_s, _unseen_text(read, write))


def _counting(writes: list[Call]) -> Iterator[tuple[Call, float]]:
    """Yield each acknowledged write, and until when it decides about its id."""
    for calls in by_id(writes).values():
        open_calls: list[Call] = []
        unknown_s = min(
            (c.invoked_s for c in calls if c.outcome != DONE), default=float("inf")
        )
        for number, write in enumerate(calls):
            open_calls = [c for c in open_calls if c.returned_s >= write.invoked_s]
            if write.outcome == DONE:
                others = chain(open_calls, islice(calls, number + 1, None))
                later_s = (c.invoked_s for c in others if may_follow(c, write))
                yield write, min(unknown_s, next(later_s, float("inf")))
            open_calls.append(write)


def _unseen_text(read: Call, write: Call) -> str:
    is_missing = write.op == "register"
    state = "is not listed" if is_missing else "is still listed"
    demand = f"index {read.index}"
    if read.is_consistent:
        demand = "consistent"
    elif write.index <= read.min_index:
        demand = f"min_index={read.min_index}"
    return (
        f"{read.service}: {write.service_id} {state} in a read with {demand} "
        f"({place(read)}) after its {write.op} at index {write.index} ({place(write)})"
    )


# -- indexes


def _below_floor(reads: list[Call]) -> Iterator[Finding]:
    """Find answers older than what their ``min_index`` stands for.

    A list that anyone saw at an index is a change of this service at that index: who
    has applied ``min_index`` has applied that, too.
    """
    seen = sorted({read.index for read in reads})
    for read in reads:
        number = bisect_right(seen, read.min_index)
        if number and read.index < seen[number - 1]:
            text = (
                f"{read.service}: index {read.index} in a read with "
                f"min_index={read.min_index} ({place(read)}), "
                f"but {seen[number - 1]} was seen before"
            )
            yield Finding(NAME, read.returned_s, text)


def _backward(reads: Iterable[Call], wiped: ByReplica) -> Iterator[Finding]:
    """Find answers of a replica that are older than one it gave before."""
    replicas: dict[str, list[Call]] = defaultdict(list)
    for read in reads:
        replicas[read.replica].append(read)
    for replica, its in sorted(replicas.items()):
        returned = sorted(its, key=lambda r: r.returned_s, reverse=True)
        highest: Call | None = None
        for read in sorted(its, key=lambda r: r.invoked_s):
            while returned and returned[-1].returned_s < read.invoked_s:
                last = returned.pop()
                if (
                    highest is None
                    or last.index > highest.index
                    or wiped.overlaps(replica, highest.returned_s, last.returned_s)
                ):
                    highest = last
            if (
                highest is not None
                and read.index < highest.index
                and not wiped.overlaps(replica, highest.returned_s, read.returned_s)
            ):
                text = (
                    f"{read.service}: {replica} went back from index {highest.index} "
                    f"({place(highest)}) to {read.index} ({place(read)})"
                )
                yield Finding(NAME, read.returned_s, text)
