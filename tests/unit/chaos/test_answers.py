"""Answers that say too little: an empty list of what is there, or none at all."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.chaos.checkers.answers import check_answers
from tests.chaos.evidence import REFUSED, UNKNOWN, Call, Record
from tests.unit.chaos.made import call, evidence, fault, life, listing, texts

X = "kept-0:1"
REGISTERED = call("register", X, 0.5)
KNOWN: list[Record] = [listing("kept-0", "1", 1, replica=r) for r in "abc"]


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_answers(evidence(*records)))


def failed(**more: Any) -> Call:
    """Return a list that failed at 5 s."""
    fields: dict[str, Any] = {"outcome": UNKNOWN, "code": "TimeoutError"}
    return listing("session-0", "", 5, 7, **(fields | more))


def test_lists_that_show_something_are_fine() -> None:
    """An empty one is, too, until every replica has shown somebody."""
    early = listing("kept-0", "", 0.7, replica="c")

    assert not told(REGISTERED, early, KNOWN, listing("kept-0", "1", 9))
    assert not told(REGISTERED, KNOWN[:2], listing("kept-0", "", 9, replica="c"))


@pytest.mark.parametrize("more", [{}, {"min_index": 3}, {"is_consistent": True}])
def test_an_empty_list_of_what_is_there_is_found(more: dict[str, Any]) -> None:
    """Also of a replica that was killed, or lost its disk: it answers 503 till then."""
    empty = listing("kept-0", "", 9, replica="b", **more)
    expected = [
        "an empty list of kept-0, which was never empty (one at b, 9.000-9.100 s)"
    ]

    assert told(REGISTERED, KNOWN, empty) == expected
    assert told(REGISTERED, KNOWN, empty, fault("kill", "b", 2, 10, "start")) == (
        expected
    )
    assert told(REGISTERED, KNOWN, empty, fault("wipe", "b", 2, 8, "start")) == expected


def test_a_refusal_to_answer_is_not_an_empty_list() -> None:
    """A replica that restarts must say that it does not know yet."""
    refusal = listing(
        "kept-0", "", 9, replica="b", outcome=REFUSED, code="not_caught_up"
    )

    assert not told(REGISTERED, KNOWN, refusal, fault("kill", "b", 2, 10, "start"))


def test_a_service_that_may_have_been_empty_may_be_shown_empty() -> None:
    """Its last instance was deregistered, or was about to be; or nobody had it."""
    empty = listing("kept-0", "", 9)

    assert not told(REGISTERED, KNOWN, call("deregister", X, 8), empty)
    assert not told(REGISTERED, KNOWN, call("deregister", X, 9.05), empty)
    assert not told(KNOWN, empty)
    other = call("register", "kept-0:2", 2)
    assert len(told(REGISTERED, other, KNOWN, call("deregister", X, 8), empty)) == 1


def test_an_empty_list_of_those_that_live_by_checks_is_found() -> None:
    """While one of them passes; when none does, the list is empty rightly."""
    service_id = "checked:1"
    alive: list[Record] = [
        call("register", service_id, 0.5),
        life("answers", service_id, 0.6),
    ]
    known = [listing("checked", "1", 1, replica=r) for r in "abc"]
    empty = listing("checked", "", 9, replica="c")

    assert told(alive, known, empty) == [
        "an empty list of checked, which was never empty (one at c, 9.000-9.100 s)"
    ]
    assert not told(alive, known, life("fails", service_id, 8.0), empty)


@pytest.mark.parametrize(
    ("call_", "what"),
    [
        (failed(), "TimeoutError"),
        (failed(code=""), "unknown"),
        (failed(outcome=REFUSED, code="not_caught_up"), "not_caught_up"),
    ],
)
def test_a_read_that_fails_where_no_fault_is_is_found(call_: Call, what: str) -> None:
    """Whatever befalls the others: discovery reads on an untouched replica succeed."""
    elsewhere = fault("kill", "b", 1, 9, "start")

    assert told(elsewhere, call_) == [
        f"a list of session-0 failed at a, which had no fault: {what} "
        "(one at a, 5.000-7.000 s)"
    ]


def test_a_read_at_a_replica_with_a_fault_may_fail() -> None:
    """If the fault was there at any moment of the call; and one that demands may."""
    assert not told(fault("pause", "a", 6.9, 9, "resume"), failed())
    assert not told(fault("pause", "a", 1, 5.1, "resume"), failed())
    assert not told(failed(min_index=3), failed(is_consistent=True))
    assert len(told(fault("pause", "a", 1, 4.9, "resume"), failed())) == 1
