"""Who is asked while nothing is wrong does it; nobody ever breaks; nobody idles."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.chaos.checkers.availability import check_availability
from tests.chaos.evidence import REFUSED, UNKNOWN, Call, Record
from tests.unit.chaos.made import absent, call, evidence, fault, listing, texts

K = "kept-0"
KILLED = fault("kill", "c", 10, 20, "start")
FAILED: dict[str, Any] = {"outcome": REFUSED, "code": "no_leader"}


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_availability(evidence(*records)))


def busy(replica: str, until_s: int = 40) -> list[Record]:
    """Return a call of each kind every five seconds."""
    calls: list[Record] = []
    for at_s in range(0, until_s, 5):
        here: dict[str, Any] = {"replica": replica}
        calls += [
            call("register", f"{K}:{at_s}", at_s, **here),
            listing(K, "", at_s, is_consistent=True, **here),
            listing(K, "", at_s, min_index=1, **here),
            listing(K, "", at_s, **here),
        ]
    return calls


BUSY = [record for replica in "abc" for record in busy(replica)]


@pytest.mark.parametrize("code", ["internal_error", "internal_refusal", "http_500"])
def test_who_breaks_is_found_whatever_the_faults(code: str) -> None:
    """No fault may lead to that."""
    broken = call("heartbeat", "beating:1", 15, outcome=UNKNOWN, code=code)

    assert told(KILLED, broken) == [
        f"a answered heartbeat beating:1 with {code} (one at a, 15.000-15.100 s)"
    ]


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (call("register", f"{K}:1", 5, **FAILED), f"register {K}:1"),
        (call("deregister", f"{K}:1", 5, **FAILED), f"deregister {K}:1"),
        (
            listing(K, "", 5, is_consistent=True, **FAILED),
            f"a consistent read of {K}",
        ),
        (listing(K, "", 5, min_index=3, **FAILED), f"a min_index read of {K}"),
    ],
)
def test_what_fails_while_all_is_well_is_found(one: Call, what: str) -> None:
    """Before the first fault, and a second after the last."""
    assert told(KILLED, one) == [
        f"{what} failed while all was well: no_leader (one at a, 5.000-5.100 s)"
    ]


@pytest.mark.parametrize(
    ("invoked_s", "returned_s", "is_found"),
    [
        (9.0, 9.9, True),
        (9.0, 10.1, False),
        (15.0, 15.1, False),
        (20.5, 20.6, False),
        (21.1, 21.2, True),
    ],
)
def test_a_fault_anywhere_excuses_until_a_second_after(
    invoked_s: float, returned_s: float, is_found: bool
) -> None:
    """Also that of another replica: it may have led."""
    one = call("register", f"{K}:1", invoked_s, returned_s, **FAILED)

    assert bool(told(KILLED, one)) == is_found


def test_what_is_an_answer_or_was_not_waited_for_is_no_failure() -> None:
    """And plain reads are for another checker."""
    late = {"outcome": UNKNOWN, "code": "TimeoutError"}

    assert not told(absent("deregister", f"{K}:1", 5))
    assert not told(listing(K, "", 5, **FAILED))
    assert not told(call("heartbeat", "beating:1", 5, 5.5, **late))
    assert told(call("register", "beating:1", 5, 7, **late))


def test_who_does_some_of_each_kind_is_fine() -> None:
    """While it is down it need not, nor while most are."""
    assert not told(BUSY)
    assert not told(
        busy("a"), busy("b"), busy("c", 10), fault("kill", "c", 8, 39, "start")
    )
    down = [fault("kill", replica, 8, 39, "start") for replica in "bc"]
    early = [busy(replica, 10) for replica in "abc"]
    assert not told(*down, *early, listing(K, "", 39))
    assert not told([r for r in BUSY if isinstance(r, Call) and r.invoked_s < 29])


def test_who_does_nothing_of_a_kind_is_found() -> None:
    """Or too little, in a run of at least half a minute."""
    lazy = [r for r in busy("c") if isinstance(r, Call) and not r.is_consistent]

    assert told(busy("a"), busy("b"), lazy) == [
        "c was well for 35 of 35 seconds, and did consistent reads: 0, not even 3"
    ]
    found = told(busy("a"), busy("b"))
    assert [text.split(" did ")[1] for text in found] == [
        f"{kind}s: 0, not even 3"
        for kind in ("write", "consistent read", "min_index read", "plain read")
    ]
