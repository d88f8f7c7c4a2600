"""Reads that demand something: what they must show, and that none goes backward."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.checkers.sessions import check_sessions
from tests.chaos.evidence import REFUSED, UNKNOWN, Call, Record
from tests.unit.chaos.made import call, evidence, fault, listing, texts

S = "session-0"
X, Y = "session-0:1", "session-0:2"


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_sessions(evidence(*records)))


def read(ids: str, invoked_s: float, returned_s: float = 0.0, **more: Any) -> Call:
    """Return a list, by default at another replica than the writes."""
    return listing(S, ids, invoked_s, returned_s, **({"replica": "b"} | more))


REGISTERED = call("register", X, 1, index=5)
ENDED = call("deregister", X, 3, index=8)


def test_a_read_shows_what_its_index_stands_for() -> None:
    """Register, read it elsewhere, deregister, read that."""
    assert not told(
        REGISTERED,
        read("1", 2, min_index=5, index=5),
        ENDED,
        read("", 4, min_index=8, index=8),
        read("", 5, is_consistent=True, index=8),
    )


def test_a_read_that_demands_nothing_may_be_old() -> None:
    """So may one whose index is lower than that of the write."""
    assert not told(REGISTERED, read("", 2), read("", 3, min_index=4, index=2))


def test_a_read_shows_what_its_own_index_covers() -> None:
    """Though it demands nothing: it is of a moment at or after that write."""
    assert not told(REGISTERED, read("1", 2, index=5), ENDED, read("", 4, index=9))
    assert told(REGISTERED, read("", 2, index=5)) == [
        f"{S}: {X} is not listed in a read with index 5 "
        "(one at b, 2.000-2.100 s) after its register at index 5 "
        "(one at a, 1.000-1.100 s)"
    ]
    (text,) = told(REGISTERED, ENDED, read("1", 4, index=9))
    assert text.startswith(f"{S}: {X} is still listed in a read with index 9 ")


def test_a_change_that_began_meanwhile_excuses_either_answer() -> None:
    """It may have taken effect before the read; an unknown one at any later time."""
    ending = call("deregister", X, 1.5, 9, index=9)
    unknown = call("deregister", X, 1.5, outcome=UNKNOWN)
    before = call("deregister", X, 0.5, 9, index=9)
    unknown_before = call("deregister", X, 0.5, outcome=UNKNOWN)
    for change in (ending, unknown, before, unknown_before):
        for ids in ("", "1"):
            assert not told(REGISTERED, change, read(ids, 2, min_index=5, index=5))


def test_what_may_expire_need_not_show() -> None:
    """Only permanent ones are there until they are deregistered."""
    assert not told(
        call("register", "beating:1", 1, index=5),
        listing("beating", "", 9, min_index=5, index=5),
    )


def test_a_write_after_the_consistent_read_began_need_not_show() -> None:
    """It covers what was acknowledged before it was sent."""
    assert not told(REGISTERED, read("", 1.05, 3, is_consistent=True))


def test_a_refused_change_excuses_nothing() -> None:
    """It certainly was not done."""
    refused = call("deregister", X, 1.5, outcome=REFUSED, code="no_leader")

    (text,) = told(REGISTERED, refused, read("", 2, min_index=5, index=5))

    assert f"{X} is not listed" in text


@pytest.mark.parametrize(
    ("calls", "part"),
    [
        (
            [REGISTERED, read("", 2, min_index=5, index=5)],
            f"{X} is not listed in a read with min_index=5 (one at b, 2.000-2.100 s)"
            " after its register at index 5",
        ),
        (
            [REGISTERED, read("2", 2, is_consistent=True, index=5)],
            f"{X} is not listed in a read with consistent",
        ),
        (
            [REGISTERED, ENDED, read("1", 4, min_index=9, index=9)],
            f"{X} is still listed in a read with min_index=9 (one at b, 4.000-4.100 s)"
            " after its deregister at index 8",
        ),
        (
            [REGISTERED, ENDED, read("1", 4, is_consistent=True, index=8)],
            f"{X} is still listed in a read with consistent",
        ),
        (
            # It returned while the write was under way, and showed an index beyond.
            [call("register", X, 1, 9, index=5), read("", 2, min_index=6, index=6)],
            f"{X} is not listed in a read with min_index=6",
        ),
        (
            # The deregister came before, by the log's own order.
            [
                call("register", X, 1, 4, index=7),
                call("deregister", X, 1, 4, index=5),
                read("", 5, min_index=7, index=7),
            ],
            f"{X} is not listed in a read with min_index=7",
        ),
    ],
)
def test_a_read_that_does_not_show_it_is_found(calls: list[Call], part: str) -> None:
    """Neither a write missed nor one undone may be answered."""
    (text,) = told(calls)

    assert text.startswith("session-0: ")
    assert part in text


def test_an_answer_below_its_min_index_is_found() -> None:
    """Index 7 was a change of this service: who has applied 8 has applied it."""
    old = read("1", 4, min_index=8, index=6)

    (text,) = told(read("1", 2, replica="a", index=7), old)

    assert text == (
        "session-0: index 6 in a read with min_index=8 (one at b, 4.000-4.100 s), "
        "but 7 was seen before"
    )


def test_an_index_may_be_lower_than_what_was_demanded() -> None:
    """It is that of the last change of this service, not of the whole log."""
    assert not told(read("1", 2, index=7), read("1", 3, min_index=20, index=7))


def test_a_replica_that_goes_back_is_found() -> None:
    """Whoever asks, and also without demanding anything (I7)."""
    (text,) = told(
        read("1", 1, index=7, client="one"), read("1", 2, index=6, client="two")
    )

    assert text == (
        "session-0: b went back from index 7 (one at b, 1.000-1.100 s) to 6 "
        "(two at b, 2.000-2.100 s)"
    )


def test_a_restart_excuses_no_going_back_and_a_wiped_disk_does() -> None:
    """A replica that has just started must not answer before it has caught up."""
    answers: list[Record] = [read("1", 1, index=7), read("1", 9, index=6)]

    assert len(told(answers, fault("kill", "b", 2, 8, "start"))) == 1
    assert len(told(answers, fault("wipe", "c", 2, 8, "start"))) == 1
    assert not told(answers, fault("wipe", "b", 2, 8, "start"))


def test_after_a_wipe_it_must_not_go_back_again() -> None:
    """The excuse is for what lies across the wipe."""
    (text,) = told(
        read("1", 1, index=9),
        fault("wipe", "b", 2, 3, "start"),
        [read("1", 4, index=6), read("1", 5, index=5)],
    )

    assert "b went back from index 6" in text


def test_overlapping_answers_of_a_replica_have_no_order() -> None:
    """Nobody knows which was made first; other replicas may be behind."""
    assert not told(read("1", 1, 3, index=7), read("1", 2, 4, index=6))
    assert not told(read("1", 1, index=7), read("1", 2, index=6, replica="c"))


@given(st.lists(st.tuples(st.sampled_from(["1", "2"]), st.booleans()), min_size=1))
def test_what_one_log_has_answered_is_accepted(writes: list[tuple[str, bool]]) -> None:
    """Any sequence of writes, read after each; a list without the last is found."""
    present: set[str] = set()
    records: list[Record] = []
    for number, (name, is_register) in enumerate(writes, 1):
        op = "register" if is_register else "deregister"
        before = set(present)
        (present.add if is_register else present.discard)(name)
        records.append(call(op, f"{S}:{name}", number, index=number))
        ids = " ".join(present)
        records.append(read(ids, number + 0.5, min_index=number, index=number))
        if before != present:
            wrong = read(" ".join(before), number + 0.6, min_index=number, index=number)
            assert len(told([*records, wrong])) == 1

    assert not told(records)
