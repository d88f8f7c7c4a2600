"""Replicas among themselves: alike at the end, one leader a term, none going back."""

from collections.abc import Sequence

import pytest

from tests.chaos.checkers.replicas import check_replicas
from tests.chaos.evidence import Record
from tests.unit.chaos.made import ending, evidence, fault, look, texts

X = ("kept-0:1", "", "healthy", "registered")
Y = ("kept-0:2", "", "healthy", "registered")
ROWS = ("kept-0:1 healthy", "kept-0:2 healthy")
ALIKE: list[Record] = [ending(r, *ROWS, changes=(X, Y)) for r in "abc"]


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_replicas(evidence(*records)))


def test_replicas_that_are_alike_are_fine() -> None:
    """The order of a list changes with the second; an empty service is none."""
    turned = ending("c", *reversed(ROWS), changes=(X, Y))
    turned.listed["kept-1"] = ()

    assert not told(ALIKE[:2], turned)


def test_a_list_that_differs_is_found() -> None:
    """An instance less, or another status."""
    less = ending("c", ROWS[0], changes=(X, Y))
    sick = ending("c", ROWS[0], "kept-0:2 unhealthy", changes=(X, Y))

    for other in (less, sick):
        (text,) = told(ALIKE[:2], other)

        assert text.startswith("a and c differ in the lists of kept-0: [('kept-0:2'")


def test_a_history_that_differs_is_found_even_in_its_order() -> None:
    """All replicas apply the same log."""
    assert told(ALIKE[:2], ending("c", *ROWS, changes=(Y, X))) == [
        "a and c differ in the changes of kept-0: their order"
    ]
    (text,) = told(ALIKE[:2], ending("c", *ROWS, changes=(X,)))
    assert text == (
        "a and c differ in the changes of kept-0: "
        "[('kept-0:2', '', 'healthy', 'registered')] against []"
    )


def test_a_replica_without_an_end_is_found() -> None:
    """What was not compared is not equal."""
    assert told(ALIKE[:2]) == ["c did not say what it knows at the end"]


def test_two_leaders_in_two_terms_are_fine() -> None:
    """The old one may not know yet, and a replica may lead again and again."""
    assert not told(
        ALIKE,
        look("a", 1, term=1, role="leader"),
        look("b", 2, term=2, role="leader"),
        look("c", 3, term=2),
    )
    assert not told(
        ALIKE, look("a", 3, term=1, role="leader"), look("b", 2, term=2, role="leader")
    )


def test_two_leaders_in_one_term_are_found_once() -> None:
    """Whatever lies between the two looks."""
    assert told(
        ALIKE,
        look("a", 1, term=7, role="leader"),
        look("b", 9, term=7, role="leader"),
        look("b", 10, term=7, role="leader"),
    ) == ["term 7 had two leaders: a and b, says b"]


def test_who_is_named_the_leader_is_one_as_well() -> None:
    """By whichever replica; who knows none names none."""
    assert not told(
        ALIKE,
        look("a", 1, term=7, role="leader", leader="a"),
        look("b", 2, term=7),
        look("b", 3, term=7, leader="a"),
        look("b", 4, term=8, leader="c"),
    )
    named = [look("b", 1, term=7, leader="a"), look("c", 2, term=7, leader="b")]
    assert told(ALIKE, named) == ["term 7 had two leaders: a and b, says c"]
    led = [look("b", 1, term=7, role="leader"), look("c", 2, term=7, leader="a")]
    assert told(ALIKE, led) == ["term 7 had two leaders: b and a, says c"]


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("pause", ["a went back from term 5 to 4", "a went back from index 9 to 8"]),
        ("kill", ["a went back from term 5 to 4"]),
        ("stop", ["a went back from term 5 to 4"]),
        ("power_cut", []),
        ("wipe", []),
        ("slow_disk", ["a went back from index 9 to 8"]),
    ],
)
def test_what_goes_back_is_found(verb: str, expected: list[str]) -> None:
    """An index within one life, a term also across lives, if it was on disk."""
    remedies = {"pause": "resume", "slow_disk": "mend_disk"}
    touched = fault(verb, "a", 2, 8, remedies.get(verb, "start"))
    looks: list[Record] = [
        look("a", 1, term=5, index=9),
        look("a", 9, term=4, index=8),
        look("b", 9, term=1, index=1),
    ]

    assert told(ALIKE, touched, looks) == expected


def test_what_has_not_read_its_disk_yet_has_no_term() -> None:
    """It says 0; what it knew before is compared with what it knows after."""
    looks: list[Record] = [
        look("a", 1, term=5, index=9),
        look("a", 3, term=0, index=0),
        look("a", 9, term=5, index=9),
    ]

    assert not told(ALIKE, fault("kill", "a", 2, 8, "start"), looks)


def test_what_goes_back_after_its_restart_is_found() -> None:
    """The excuse ends when the replica is ready."""
    looks: list[Record] = [look("a", 9, index=9), look("a", 10, index=8)]

    assert told(ALIKE, fault("kill", "a", 2, 8, "start"), looks) == [
        "a went back from index 9 to 8"
    ]
