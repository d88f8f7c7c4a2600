"""At the end: none lost, none doubled, none risen."""

from collections.abc import Sequence

import pytest

from tests.chaos.checkers.writes import check_writes
from tests.chaos.evidence import REFUSED, UNKNOWN, Call, Ending, Record
from tests.unit.chaos.made import absent, call, ending, evidence, texts

X, Y = "kept-0:1", "kept-0:2"
REGISTERED = call("register", X, 1, index=5)
ENDED = call("deregister", X, 3, index=8)
THERE = ending("a", f"{X} healthy")
EMPTY = ending("a")


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_writes(evidence(*records)))


def test_what_was_registered_is_there_and_what_was_ended_is_not() -> None:
    """On every replica; services whose instances may expire are not looked at."""
    other = call("register", "beating:1", 1)

    assert not told(REGISTERED, other, THERE, ending("b", f"{X} healthy"))
    assert not told(REGISTERED, ENDED, EMPTY)
    again = call("register", X, 4, index=9)
    assert not told(REGISTERED, ENDED, again, absent("heartbeat", Y, 5), THERE)


def test_an_unknown_outcome_may_be_either() -> None:
    """Also one that was asked for long before: it may take effect at any later time."""
    registering = call("register", X, 1, outcome=UNKNOWN)
    deregistering = call("deregister", X, 0, outcome=UNKNOWN)

    for end in (THERE, EMPTY):
        assert not told(registering, end)
        assert not told(REGISTERED, deregistering, end)
        assert not told(registering, call("deregister", X, 2, outcome=UNKNOWN), end)
    assert not told(registering, ENDED, THERE)


def test_overlapping_writes_are_ordered_by_the_log() -> None:
    """Where both were acknowledged their indexes tell which was last."""
    first = call("deregister", X, 1, 9, index=4)
    last = call("deregister", X, 1, 9, index=6)

    assert not told(REGISTERED, first, THERE)
    assert not told(REGISTERED, last, EMPTY)
    assert len(told(REGISTERED, first, EMPTY)) == 1
    assert len(told(REGISTERED, last, THERE)) == 1


@pytest.mark.parametrize(
    ("calls", "end", "text"),
    [
        (
            # Nothing tells but the time.
            [call("deregister", X, 0.1), call("register", X, 1)],
            EMPTY,
            f"{X} is lost, registered by one at a, 1.000-1.100 s",
        ),
        ([REGISTERED], EMPTY, f"{X} is lost, registered by one at a, 1.000-1.100 s"),
        (
            [REGISTERED, call("deregister", X, 2, outcome=REFUSED, code="no_leader")],
            EMPTY,
            f"{X} is lost, registered by one at a, 1.000-1.100 s",
        ),
        (
            [REGISTERED, ENDED, call("register", X, 4, index=9)],
            EMPTY,
            f"{X} is lost, registered by one at a, 4.000-4.100 s",
        ),
        (
            [REGISTERED, ENDED],
            THERE,
            f"{X} is there again, deregistered by one at a, 3.000-3.100 s",
        ),
        (
            [call("register", X, 1, outcome=REFUSED, code="no_leader")],
            THERE,
            f"{X} at host-{X}:80 is there, and nobody registered that",
        ),
        (
            [call("register", X, 1, address="elsewhere:80")],
            THERE,
            f"{X} at host-{X}:80 is there, and nobody registered that",
        ),
    ],
)
def test_what_is_lost_or_risen_is_found(
    calls: list[Call], end: Ending, text: str
) -> None:
    """Each names the replica, the service and the id."""
    assert told(calls, end) == [f"kept-0 at a: {text}"]


def test_what_is_there_twice_is_found() -> None:
    """By its id or by its address."""
    twice = ending("b", f"{X} healthy", f"{X} healthy")
    rows = (("kept-0:1", "one:80", "healthy"), ("kept-0:2", "one:80", "healthy"))
    shared = Ending(1.0, "c", 1, {"kept-0": rows}, {})
    ones = [call("register", i, 1, address="one:80") for i in (X, Y)]

    assert told(REGISTERED, twice) == [
        f"kept-0 at b: {X} is there 2 times",
        f"kept-0 at b: host-{X}:80 is there 2 times",
    ]
    assert told(ones, shared) == ["kept-0 at c: one:80 is there 2 times"]


def test_writes_are_in_the_log_in_the_order_of_time() -> None:
    """Of all services and replicas; those of one entry share an index."""
    other = call("register", "session-0:1", 2, index=5, replica="b")
    ends = (ending("a", f"{X} healthy", "session-0:1 healthy"),)

    assert not told(REGISTERED, other, ends)
    meanwhile = call("register", "session-0:1", 1.05, index=4)
    assert not told(REGISTERED, meanwhile, ends)
    late = call("register", "session-0:1", 2, index=4, replica="b")
    assert told(REGISTERED, late, ends) == [
        "register session-0:1 is at index 4 (one at b, 2.000-2.100 s), "
        f"after register {X} had been done at 5 (one at a, 1.000-1.100 s)"
    ]


def test_a_service_that_nobody_wrote_to_is_found() -> None:
    """It came from nowhere."""
    assert told(THERE) == ["kept-0 at a: nobody registered it"]
