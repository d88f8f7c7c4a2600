"""Instances that live and die: lists, histories and ends that fit, and that do not."""

from collections.abc import Sequence

import pytest

from tests.chaos.checkers.lives import check_lives
from tests.chaos.evidence import UNKNOWN, Record
from tests.unit.chaos.made import (
    ARRIVED,
    CHECKED,
    B,
    C,
    absent,
    beating,
    call,
    ending,
    evidence,
    fault,
    life,
    texts,
)
from tests.unit.chaos.made import listing as shown


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_lives(evidence(*records)))


def test_one_that_lives_and_is_listed_is_fine() -> None:
    """It need not have reached every replica at once, and stays where it was shown."""
    assert not told(
        beating(20),
        shown("beating", "", 1, replica="b"),
        [shown("beating", "1", n, replica="b") for n in range(2, 20)],
        ending("b", f"{B} healthy", at_s=19.0, changes=((B, *ARRIVED),)),
    )


@pytest.mark.parametrize("alive", [beating(20), CHECKED])
def test_one_that_is_missing_after_it_was_shown_is_found(alive: list[Record]) -> None:
    """A false eviction, as a client sees it."""
    service = "beating" if alive is not CHECKED else "checked"

    (text,) = told(alive, shown(service, "1", 2), shown(service, "", 9))

    assert text == (
        f"{service}:1 lives, was listed (one at a, 2.000-2.100 s) and is missing "
        "(one at a, 9.000-9.100 s)"
    )


def test_a_fault_is_no_excuse_for_an_eviction() -> None:
    """Neither its own replica's pause nor another one's death."""
    lists: list[Record] = [shown("beating", "1", 2), shown("beating", "", 9)]

    assert len(told(beating(20), lists, fault("pause", "a", 3, 8, "resume"))) == 1
    assert len(told(beating(20), lists, fault("kill", "b", 3, 8, "start"))) == 1


def test_a_replica_that_started_anew_has_shown_nothing() -> None:
    """What it showed in its former life is judged by the indexes of its answers."""
    lists: list[Record] = [shown("beating", "1", 2), shown("beating", "", 9)]

    later: list[Record] = [shown("beating", "1", 9.5), shown("beating", "", 11)]

    assert not told(beating(20), lists, fault("kill", "a", 3, 8, "start"))
    assert len(told(beating(20), later, fault("kill", "a", 3, 8, "start"))) == 1


@pytest.mark.parametrize(
    "reason",
    [
        life("silent", B, 5.0),
        call("deregister", B, 5),
        call("deregister", B, 5, outcome=UNKNOWN),
    ],
)
def test_one_that_has_a_reason_may_be_missing(reason: Record) -> None:
    """From when it began; a deregister may be done long after nobody answered."""
    lists: list[Record] = [shown("beating", "1", 2), shown("beating", "", 9)]

    assert not told(beating(20), lists, reason)


def test_one_whose_heartbeats_did_not_arrive_may_be_missing() -> None:
    """I4: a lease lasts its time after an acknowledged proof of life, not longer."""
    few = [*beating(3), *beating(20, from_s=9)[2:]]

    assert not told(few, shown("beating", "1", 2), shown("beating", "", 7))
    assert len(told(few, shown("beating", "1", 2), shown("beating", "", 4))) == 1


def test_time_without_a_majority_is_not_held_against_it() -> None:
    """I4: nobody could have taken a heartbeat then."""
    few = [*beating(3), *beating(20, from_s=9)[2:]]
    lists: list[Record] = [shown("beating", "1", 2), shown("beating", "", 8)]
    one = fault("pause", "a", 2.5, 9, "resume")
    other = fault("pause", "b", 2.5, 9, "resume")

    assert not told(few, lists, one)
    assert len(told(few, lists, one, other)) == 1


def test_who_came_back_is_given_time_before_it_must_stay() -> None:
    """After a lease that may have run out: what ends it may still be under way."""
    few = [*beating(3), *beating(30, from_s=9)[2:]]

    assert not told(few, shown("beating", "1", 9.2), shown("beating", "", 9.5))
    assert len(told(few, shown("beating", "1", 17), shown("beating", "", 18))) == 1


def test_who_registers_before_it_is_back_is_given_time_as_well() -> None:
    """It failed before it was acknowledged, and was probed then."""
    records: list[Record] = [
        life("answers", C, 0.1),
        life("fails", C, 0.2),
        call("register", C, 0.5),
        life("answers", C, 2.0),
    ]

    assert not told(records, shown("checked", "1", 2.1), shown("checked", "", 2.5))
    assert len(told(records, shown("checked", "1", 11), shown("checked", "", 12))) == 1


def test_one_that_has_lived_for_long_is_listed_everywhere() -> None:
    """Though that replica had never shown it; one that was just killed may not yet."""
    missing = shown("beating", "", 9, replica="c")
    text = f"{B} lives, has lived for long enough to be in all lists and is missing"

    assert told(beating(20), missing) == [f"{text} (one at c, 9.000-9.100 s)"]
    assert not told(beating(20), shown("beating", "", 6.5, replica="c"))
    assert not told(beating(20), missing, fault("kill", "c", 8.9, 9.9, "start"))
    assert not told(beating(20), missing, fault("slow_link", "c", 1, 5, "heal"))


def test_lists_that_overlap_have_no_order() -> None:
    """The one that shows it may have been answered last."""
    missing = shown("beating", "", 2, 6)

    assert not told(beating(20), missing, shown("beating", "1", 3, 4))


def test_to_die_or_to_rise_twice_is_as_once() -> None:
    """A life begins with the first rise, and death with the first fall."""
    twice = [*CHECKED, life("answers", C, 4.0)]
    dead = [life("fails", C, 5.0), life("fails", C, 9.0)]
    lists: list[Record] = [shown("checked", "1", 2), shown("checked", "", 3)]

    assert len(told(twice, lists)) == 1
    assert len(told(twice, dead, shown("checked", "1", 11.6))) == 1


def test_a_heartbeat_of_a_living_one_must_not_be_refused() -> None:
    """It registers anew then, which no list need ever show."""
    refused = absent("heartbeat", B, 5.5, returned_s=5.6)

    assert told(beating(20), refused) == [
        f"{B} lives and its heartbeat is refused (one at a, 5.500-5.600 s)"
    ]
    assert not told(beating(20), refused, life("silent", B, 5.0))


def test_one_that_died_leaves_the_lists_in_time() -> None:
    """A TTL, and 3 s more; of a checked one an interval, a verdict, and 3 s more."""
    silent = [*beating(5), life("silent", B, 5.0)]
    failing = [*CHECKED, life("fails", C, 5.0)]

    assert not told(silent, shown("beating", "1", 10.9))
    assert not told(failing, shown("checked", "1", 11.4))
    assert told(silent, shown("beating", "1", 11.1)) == [
        f"{B} is dead, should have left the lists at 11.000 s, and is listed "
        "(one at a, 11.100-11.200 s)"
    ]
    assert told(failing, shown("checked", "1", 11.6)) == [
        f"{C} is dead, should have left the lists at 11.500 s, and is listed "
        "(one at a, 11.600-11.700 s)"
    ]


def test_faults_give_it_more_time_to_leave() -> None:
    """Some seconds each, and as long as they last when they leave no majority."""
    silent = [*beating(5), life("silent", B, 5.0)]
    touched = fault("pause", "c", 6, 10, "resume")
    headless = [*touched, *fault("pause", "b", 7, 10, "resume")]

    assert not told(silent, touched, shown("beating", "1", 13.9))
    assert len(told(silent, touched, shown("beating", "1", 14.1))) == 1
    assert not told(silent, headless, shown("beating", "1", 16.9))
    assert len(told(silent, headless, shown("beating", "1", 17.1))) == 1


def test_one_that_is_back_may_be_listed_and_is_not_missed_at_once() -> None:
    """The verdict that it failed may still be under way."""
    back = [*CHECKED, life("fails", C, 5.0), life("answers", C, 20.0)]
    lists: list[Record] = [shown("checked", "1", 20.1), shown("checked", "", 20.3)]
    later: list[Record] = [shown("checked", "1", 42.0), shown("checked", "", 42.3)]

    assert not told(back, lists)
    # It is probed with back-off: the next look may be as far away as it was down.
    assert not told(back, shown("checked", "1", 41.0), shown("checked", "", 41.3))
    assert len(told(back, later)) == 1


def test_one_that_was_up_between_two_probes_is_missed_later_still() -> None:
    """Nobody saw it, so the back-off went on from when it fell first."""
    back = [
        *CHECKED,
        life("fails", C, 5.0),
        life("answers", C, 20.0),
        life("fails", C, 25.0),
        life("answers", C, 30.0),
    ]
    early: list[Record] = [shown("checked", "1", 60.0), shown("checked", "", 60.3)]
    late: list[Record] = [shown("checked", "1", 62.0), shown("checked", "", 62.3)]

    assert not told(back, early)
    assert len(told(back, late)) == 1
