"""What a call proves, and what it leaves open: the rules that the checkers share."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from tests.chaos.evidence import DONE, REFUSED, Call, Evidence

NOT_THERE = "unknown_service_id"
"""The one refusal that is an answer: there is no such registration."""
WRITES = frozenset({"register", "deregister"})
PERMANENT = ("contended-", "kept-", "session-")
"""Services whose instances are there until they are deregistered."""


def is_permanent(service: str) -> bool:
    """Whether only a deregister ends what is registered there."""
    return service.startswith(PERMANENT)


def by_service(
    evidence: Evidence, wanted: Callable[[Call], bool]
) -> dict[str, list[Call]]:
    """Return the calls that are wanted, of each service."""
    found: dict[str, list[Call]] = defaultdict(list)
    for call in evidence.of(Call):
        if wanted(call):
            found[call.service].append(call)
    return dict(found)


def by_id(calls: Iterable[Call]) -> dict[str, list[Call]]:
    """Return the calls on each id, in the order of their invocation."""
    found: dict[str, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.invoked_s):
        found[call.service_id].append(call)
    return dict(found)


def is_answer(call: Call, op: str) -> bool:
    """Whether it is such a call and was done."""
    return call.op == op and call.outcome == DONE


def may_count(call: Call, op: str) -> bool:
    """Whether it is such a call and may have taken effect."""
    return call.op == op and call.outcome != REFUSED


def may_follow(call: Call, former: Call) -> bool:
    """Whether a call may have taken effect after ``former``, which was done.

    One whose outcome is not known may do so at any later time.
    """
    if call.outcome != DONE:
        return True
    is_before = 0 < call.index < former.index
    return not is_before and call.returned_s >= former.invoked_s


def ids_of(call: Call) -> frozenset[str]:
    """Return the ids in a list."""
    return frozenset([service_id for service_id, _ in call.listed])


def place(call: Call) -> str:
    """Say who asked whom, and when."""
    return (
        f"{call.client} at {call.replica}, {call.invoked_s:.3f}-{call.returned_s:.3f} s"
    )
