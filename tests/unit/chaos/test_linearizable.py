"""Contended services: what one set could have answered, and what it could not."""

import random
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.chaos.checkers.linearizable import check_linearizable, check_service
from tests.chaos.evidence import DONE, REFUSED, UNKNOWN, Call
from tests.support.history import Operation
from tests.support.wgl import IMPOSSIBLE, check_key
from tests.unit.chaos.made import absent, call, evidence, listing, texts

X, Y = "contended-0:1", "contended-0:2"
S = "contended-0"


def told(*calls: Call) -> list[str]:
    """Judge a history."""
    return texts(check_linearizable(evidence(list(calls))))


def shown(ids: str, invoked_s: float, returned_s: float = 0.0) -> Call:
    """Return a consistent list."""
    return listing(S, ids, invoked_s, returned_s, is_consistent=True)


def unknown(op: str, service_id: str, invoked_s: float) -> Call:
    """Return a write that was not answered."""
    return call(op, service_id, invoked_s, outcome=UNKNOWN, code="outcome_unknown")


def test_one_call_after_the_other_is_a_history() -> None:
    """Found while it is there, not before and not after."""
    assert not told(
        absent("heartbeat", X, 1),
        call("register", X, 2),
        call("heartbeat", X, 3),
        shown("1", 4),
        call("deregister", X, 5),
        absent("deregister", X, 6),
        shown("", 7),
    )


def test_overlapping_calls_may_be_in_any_order() -> None:
    """A list may miss what is being registered while it is made, or show it."""
    for ids in ("", "1", "2", "1 2"):
        assert not told(
            call("register", X, 1, 5), call("register", Y, 1, 5), shown(ids, 2, 3)
        )


def test_an_unknown_write_may_take_effect_late_or_never() -> None:
    """Also after others, and after an answer that shows that it was not yet done."""
    late = unknown("register", X, 1)

    assert not told(late, shown("", 2), shown("1", 3), shown("1", 9))
    assert not told(late, shown("", 2), absent("deregister", X, 3))
    assert not told(
        call("register", X, 0), unknown("deregister", X, 1), shown("1", 2), shown("", 3)
    )


def test_a_refusal_changes_nothing_and_says_nothing() -> None:
    """503 `no_leader`: nothing was done; a plain list may be old."""
    refused = call("register", X, 1, outcome=REFUSED, code="no_leader")

    assert not told(refused, shown("", 2), listing(S, "1", 3))


@pytest.mark.parametrize(
    ("calls", "stuck"),
    [
        ([call("register", X, 1), shown("", 2)], "list []"),
        ([shown("1", 2)], f"list ['{X}']"),
        ([call("register", X, 1), absent("heartbeat", X, 2)], f"heartbeat {X}"),
        ([call("heartbeat", X, 2)], f"heartbeat {X}: done"),
        ([call("deregister", X, 2)], f"deregister {X}: done"),
        (
            [call("register", X, 1), absent("deregister", X, 2)],
            f"deregister {X}: unknown_service_id",
        ),
        (
            [
                call("register", X, 1),
                call("deregister", X, 2),
                shown("1", 3),
            ],
            f"list ['{X}']",
        ),
        (
            [call("register", X, 1, 9), shown("1", 2), shown("", 3)],
            "list []",
        ),
        (
            [
                call("register", X, 1, outcome=REFUSED, code="no_leader"),
                shown("1", 2),
            ],
            f"list ['{X}']",
        ),
        (
            [unknown("register", X, 1), call("deregister", X, 2), shown("1", 3)],
            f"list ['{X}']",
        ),
        ([shown("1", 1), unknown("register", X, 2)], f"list ['{X}']"),
        (
            [
                call("register", X, 1, 9),
                call("register", Y, 1, 9),
                shown("1", 2, 3),
                shown("2", 4, 5),
            ],
            f"list ['{Y}']",
        ),
    ],
)
def test_what_no_order_explains_is_found(calls: list[Call], stuck: str) -> None:
    """Lost, too early, gone back, taken twice, risen again, refused and done."""
    (text,) = told(*calls)

    assert text.startswith(f"contended-0: no order of its calls explains {stuck}")
    assert "one at a, " in text


def test_each_service_is_judged_by_itself() -> None:
    """One that is fine does not hide one that is not."""
    other = listing("contended-1", "7", 1, is_consistent=True)

    (text,) = told(call("register", X, 1), shown("1", 2), other)

    assert text.startswith("contended-1: ")


def test_giving_up_is_a_finding() -> None:
    """What could not be judged was not found good."""
    calls = [call("register", f"{S}:{n}", 1, 9) for n in range(4)]

    found = check_service(S, [*calls, shown("1", 2, 3)], most_states=1)

    assert found is not None
    assert found.text.startswith("contended-0: gave up, too many orders")


def test_of_two_ways_to_the_same_state_the_cheaper_one_is_kept() -> None:
    """Who spent less can do all that the other can; so there are few states."""
    calls: list[Call] = []
    for at_s in range(0, 50, 10):
        calls += [
            unknown("register", X, at_s),
            call("register", X, at_s + 1, at_s + 8),
            call("heartbeat", X, at_s + 2, at_s + 3),
            call("deregister", X, at_s + 9),
        ]

    assert check_service(S, calls, most_states=2) is None
    five = [call("heartbeat", X, 60 + 2 * n) for n in range(5)]
    left = [call("deregister", X, 61 + 2 * n) for n in range(5)]
    assert check_service(S, [*calls, *five, *left], most_states=2) is None
    assert check_service(S, [*calls, *five, *left, call("heartbeat", X, 70)])


def executed(
    seed: int, *, count: int, ids: int = 3, unknowns: float = 0.1
) -> list[Call]:
    """Execute calls of three clients on a set, each at a moment while it is open."""
    dice = random.Random(seed)
    free_s = [0.0, 0.0, 0.0]
    planned = []
    for _ in range(count):
        client = free_s.index(min(free_s))
        invoked_s = free_s[client] + dice.random()
        returned_s = invoked_s + dice.random()
        free_s[client] = returned_s
        op = dice.choice(["register", "deregister", "heartbeat", "list"])
        is_lost = op in ("register", "deregister") and dice.random() < unknowns
        late_s = 20 * dice.random() if is_lost else 0.0
        at_s = dice.uniform(invoked_s, returned_s) + late_s
        planned.append((at_s, client, op, invoked_s, returned_s, is_lost))
    present: set[str] = set()
    calls = []
    for _, client, op, invoked_s, returned_s, is_lost in sorted(planned):
        service_id = f"{S}:{dice.randrange(ids)}"
        was_there = service_id in present
        if op == "list":
            listed = " ".join(i.split(":")[1] for i in present)
            made = shown(listed, invoked_s, returned_s)
        elif was_there or op == "register":
            made = call(op, service_id, invoked_s, returned_s)
        else:
            made = absent(op, service_id, invoked_s, returned_s=returned_s)
        if is_lost:
            made = replace(made, outcome=UNKNOWN, code="")
        is_done = not is_lost or dice.random() < 0.5
        if op == "register" and is_done:
            present.add(service_id)
        if op == "deregister" and is_done:
            present.discard(service_id)
        calls.append(replace(made, client=f"{client}"))
    return calls


@given(st.integers(0, 10**6), st.integers(0, 60))
def test_what_a_set_has_answered_is_accepted(seed: int, count: int) -> None:
    """Whatever overlaps, and whichever answers were lost."""
    assert check_service(S, executed(seed, count=count)) is None


@given(st.integers(0, 10**6), st.integers(1, 20))
def test_it_agrees_with_a_search_over_all_orders(seed: int, number: int) -> None:
    """With one answer turned round: the two accept and refuse the same histories."""
    calls = executed(seed, count=20, unknowns=0.2)
    turned = _turned(calls[number - 1])
    history = [*calls[: number - 1], turned, *calls[number:]]
    operations = [_operation(c) for c in history if _is_operation(c)]
    operations.sort(key=lambda o: o.invoked_s)

    found = check_key(S, operations, _step, initial=frozenset())

    assert (check_service(S, history) is None) == (found is None)


@given(st.integers(0, 10**6), st.integers(0, 20))
def test_one_wrong_list_of_a_sequence_is_found(seed: int, number: int) -> None:
    """Where nothing overlaps, every list that is not the truth is found."""
    ids = random.Random(seed).sample(range(1, 9), 5)
    calls = [call("register", f"{S}:{i}", n) for n, i in enumerate(ids)]
    at = number % len(ids)
    right = shown(" ".join(map(str, ids[: at + 1])), at + 0.5)
    wrong = replace(right, listed=right.listed[1:])

    assert check_service(S, [*calls, right]) is None
    assert check_service(S, [*calls, wrong]) is not None


def _turned(made: Call) -> Call:
    if made.op == "list":
        return replace(made, listed=made.listed[1:] or ((X, "x:1"),))
    if made.outcome == DONE and made.op != "register":
        return replace(made, outcome=REFUSED, code="unknown_service_id")
    if made.outcome == REFUSED:
        return replace(made, outcome=DONE, code="")
    return replace(made, outcome=REFUSED, code="no_leader")


def _is_operation(made: Call) -> bool:
    return made.outcome != REFUSED or made.code == "unknown_service_id"


def _operation(made: Call) -> Operation:
    result: Hashable = made.outcome
    if made.op == "list":
        result = frozenset(i for i, _ in made.listed)
    end_s = None if made.outcome == UNKNOWN else made.returned_s
    return Operation(S, made.op, made.service_id, result, made.invoked_s, end_s)


def _step(state: Hashable, operation: Operation) -> Hashable:
    assert isinstance(state, frozenset)
    if operation.op == "list":
        return state if state == operation.result else IMPOSSIBLE
    one = {operation.argument}
    if operation.op == "register":
        return state | one
    is_there = operation.argument in state
    if operation.returned_s is not None and is_there != (operation.result == DONE):
        return IMPOSSIBLE
    return state - one if operation.op == "deregister" else state


@pytest.mark.slow
def test_an_hour_with_many_unknown_outcomes_is_judged_in_seconds() -> None:
    """Six calls a second, and one write in fifty was never answered."""
    calls = executed(5, count=20_000, unknowns=0.02)

    assert check_service(S, calls) is None
    assert check_service(S, [*calls, shown("99", 10**6)]) is not None
