"""What is known of instances at the end, and what they really did."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.checkers.lifetimes import lifetimes
from tests.chaos.checkers.lives import check_lives
from tests.chaos.evidence import UNKNOWN, Record
from tests.unit.chaos.made import (
    ARRIVED,
    CHECKED,
    B,
    C,
    beating,
    call,
    ending,
    evidence,
    life,
    texts,
)


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_lives(evidence(*records)))


def test_a_departure_without_a_reason_is_found_in_the_history() -> None:
    """Though no list was asked for in between: it was gone, and revived."""
    changes = (
        (B, *ARRIVED),
        (B, "healthy", "", "lease_expired: no heartbeat for 3 s"),
        (B, "", "healthy", "revived"),
    )
    end = ending("c", f"{B} healthy", at_s=19.0, changes=changes)

    assert told(beating(20), end) == [
        f"{B} left the list 1 times with 0 reasons, says c: "
        "lease_expired: no heartbeat for 3 s"
    ]
    rest = [life("silent", B, 8.0), life("beats", B, 14.9)]
    assert not told(beating(8), rest, beating(20, from_s=15)[2:], end)
    unsure = call("register", B, 0.1, outcome=UNKNOWN)
    assert not told(unsure, beating(20), end)


def test_what_the_leader_alone_cannot_reach_stays_listed() -> None:
    """Its cause says so, and it is no departure."""
    changes = (
        (C, *ARRIVED),
        (C, "healthy", "healthy", "unreachable from a only: timed out"),
        (C, "healthy", "healthy", "check_passed"),
    )

    assert not told(CHECKED, ending("a", f"{C} healthy", changes=changes))
    gone = ((C, "", "starting", "registered"), (C, "starting", "", "deregistered"))
    assert not told(CHECKED, ending("a", f"{C} healthy", changes=gone))
    fallen = (*changes, (C, "healthy", "unhealthy", "check_failed: timed out (2 of 2)"))
    assert told(CHECKED, ending("a", f"{C} healthy", changes=fallen)) == [
        f"{C} left the list 1 times with 0 reasons, says a: "
        "check_failed: timed out (2 of 2)"
    ]


@pytest.mark.parametrize(
    ("records", "rows", "text"),
    [
        (beating(20), [], f"{B} lives, and is not there at a at the end"),
        (
            beating(20),
            [f"{B} unhealthy"],
            f"{B} lives, and is unhealthy at a at the end",
        ),
        (CHECKED, [f"{C} unhealthy"], f"{C} lives, and is unhealthy at a at the end"),
        (
            [*CHECKED, life("fails", C, 5.0)],
            [f"{C} healthy"],
            f"{C} fails, and is healthy at a at the end",
        ),
        (
            [*beating(5), life("silent", B, 5.0)],
            [f"{B} unhealthy"],
            f"{B} silent, and is unhealthy at a at the end",
        ),
        ([*CHECKED, life("fails", C, 5.0)], [f"{C} unhealthy"], ""),
        ([*CHECKED, life("fails", C, 5.0)], [], ""),
        ([*CHECKED, life("fails", C, 18.0)], [f"{C} healthy"], ""),
        ([*beating(5), life("silent", B, 5.0)], [], ""),
        (beating(5), [], ""),
        ([*CHECKED, call("deregister", C, 9)], [], ""),
    ],
)
def test_the_end_is_as_it_really_was(
    records: list[Record], rows: list[str], text: str
) -> None:
    """Who lives is healthy, who fails is not, who is silent is gone, in good time."""
    found = told(records, ending("a", *rows, at_s=19.5))

    assert found == ([text] if text else [])


def test_who_never_was_acknowledged_need_not_be_there() -> None:
    """Its register may never have happened."""
    unknown = call("register", B, 0.5, outcome=UNKNOWN)

    assert not told(unknown, life("beats", B, 0.6), ending("a", at_s=2.0))


def test_a_permanent_one_is_healthy() -> None:
    """Nothing looks at how it is."""
    kept = "kept-0:1"

    assert not told(call("register", kept, 1), ending("a", f"{kept} healthy"))
    assert told(call("register", kept, 1), ending("a", f"{kept} unhealthy")) == [
        f"{kept} is permanent, and is unhealthy at a at the end"
    ]


@given(st.lists(st.floats(0.1, 5.0), min_size=1, max_size=30))
def test_it_lives_exactly_while_its_proofs_are_close(pauses_s: list[float]) -> None:
    """Each lease lasts a TTL after it was asked for; the next must be in by then."""
    records: list[Record] = [call("register", B, 0.0, 0.01), life("beats", B, 0.0)]
    at_s, first_gap_s = 0.0, math.inf
    for pause_s in pauses_s:
        if pause_s + 0.01 > 3.0:
            first_gap_s = min(first_gap_s, at_s + 3.0)
        at_s += pause_s
        records.append(call("heartbeat", B, at_s, at_s + 0.01))

    (one,) = lifetimes(evidence(records), "beating")

    assert one.spans[0] == (0.01, min(first_gap_s, at_s + 3.0))
    assert len(one.falls) == 1 + sum(pause_s + 0.01 > 3.0 for pause_s in pauses_s)
