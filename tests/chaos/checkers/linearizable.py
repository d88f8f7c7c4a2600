"""Is the history of each contended service one that a single set could have had?

The search goes along the time and keeps every state in which the service may be. A call
is put into the order no earlier than somebody's return makes it necessary; so at each
return the calls that are open (as many as there are clients) are tried before it.

A write without an answer may take effect at any later time, or never. Over an hour
there are hundreds of those, and an order of all operations (`tests.support.wgl`, with
which the tests compare this) would try each of them at each step. Here they are
*spent*: an answer that needs an id to be there, or not, takes one such write that would
have made it so. That loses nothing: an effect that nobody has seen can be later.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tests.chaos.checkers.calls import NOT_THERE, WRITES, by_service, ids_of, place
from tests.chaos.evidence import DONE, REFUSED, UNKNOWN, Call, Evidence
from tests.chaos.findings import Finding

NAME = "linearizable"
MOST_STATES = 5_000

Effect = tuple[str, str]
"""An op and an id."""


class State(NamedTuple):
    """One way in which all may have come about so far."""

    present: frozenset[str]
    placed: frozenset[int]
    """Open calls that have taken effect."""
    spent: frozenset[tuple[Effect, int]]
    """How many of the unanswered writes of each kind had to take effect."""


EMPTY = State(frozenset(), frozenset(), frozenset())


def check_linearizable(evidence: Evidence) -> list[Finding]:
    """Demand an order of all calls, for each contended service."""
    services = by_service(evidence, lambda c: c.service.startswith("contended-"))
    findings = (check_service(name, services[name]) for name in sorted(services))
    return [finding for finding in findings if finding is not None]


def check_service(
    service: str, calls: list[Call], *, most_states: int = MOST_STATES
) -> Finding | None:
    """Return the first call that cannot be placed, if there is one."""
    moments = sorted(
        (at_s, is_return, number)
        for number, call in enumerate(calls)
        if _tells(call) or _is_unanswered(call)
        for is_return, at_s in enumerate((call.invoked_s, call.returned_s))
    )
    states = {EMPTY}
    open_calls: dict[int, Call] = {}
    unanswered: Counter[Effect] = Counter()
    for at_s, is_return, number in moments:
        call = calls[number]
        if not _tells(call):
            unanswered[call.op, call.service_id] += not is_return
            continue
        if not is_return:
            open_calls[number] = call
            continue
        states = _after_return(states, number, open_calls, unanswered)
        del open_calls[number]
        if not states:
            text = f"{service}: no order of its calls explains {_words(call)}"
            return Finding(NAME, at_s, text)
        if len(states) > most_states:
            text = f"{service}: gave up, too many orders are possible at {_words(call)}"
            return Finding(NAME, at_s, text)
    return None


def _tells(call: Call) -> bool:
    """Whether its answer says something of the service at one moment."""
    if call.op == "list":
        return call.outcome == DONE and call.is_consistent
    is_absent = call.outcome == REFUSED and call.code == NOT_THERE
    return call.outcome == DONE or (is_absent and call.op != "register")


def _is_unanswered(call: Call) -> bool:
    return call.outcome == UNKNOWN and call.op in WRITES


def _after_return(
    states: Iterable[State],
    returned: int,
    open_calls: dict[int, Call],
    unanswered: Counter[Effect],
) -> set[State]:
    """Return the states in which the one that returns has taken effect."""
    waiting = list(states)
    seen = set(waiting)
    done: set[State] = set()
    while waiting:
        state = waiting.pop()
        if returned in state.placed:
            done.add(state._replace(placed=state.placed - {returned}))
            continue
        for number, call in open_calls.items():
            if number in state.placed:
                continue
            after = _step(state, call, unanswered)
            if after is None:
                continue
            after = after._replace(placed=state.placed | {number})
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return _cheapest(done)


def _step(state: State, call: Call, unanswered: Counter[Effect]) -> State | None:
    """Let a call take effect; None if its answer would have been another one."""
    present, service_id = state.present, call.service_id
    before, after = present, present
    if call.op == "list":
        before = after = ids_of(call)
    elif call.outcome == REFUSED:
        before = after = present - {service_id}
    elif call.op == "register":
        after = present | {service_id}
    else:  # a deregister or a heartbeat that found it there
        before = present | {service_id}
        after = before if call.op == "heartbeat" else present - {service_id}
    if before == present:
        return state._replace(present=after)
    needed = [("register", i) for i in before - present]
    needed += [("deregister", i) for i in present - before]
    spent = Counter(dict(state.spent))
    spent.update(needed)
    if any(spent[effect] > unanswered[effect] for effect in needed):
        return None
    return state._replace(present=after, spent=frozenset(spent.items()))


def _cheapest(states: set[State]) -> set[State]:
    """Leave out those that another one equals, with less spent."""
    alike: dict[tuple[frozenset[str], frozenset[int]], list[State]] = defaultdict(list)
    for state in sorted(states, key=lambda s: sum(n for _, n in s.spent)):
        kept = alike[state.present, state.placed]
        costs = Counter(dict(state.spent))
        if not any(Counter(dict(other.spent)) <= costs for other in kept):
            kept.append(state)
    return {state for kept in alike.values() for state in kept}


def _words(call: Call) -> str:
    if call.op == "list":
        return f"list {sorted(ids_of(call))} ({place(call)})"
    answer = call.code or call.outcome
    return f"{call.op} {call.service_id}: {answer} ({place(call)})"
