"""Findings that say the same of different calls are told once."""

from tests.chaos.findings import Finding, gathered


def test_the_same_of_other_calls_is_told_once_with_its_first() -> None:
    """In order of time, with a count."""
    later = Finding("lives", 7.0, "a:1 is missing (reader-b at b, 7.000-7.100 s)")
    first = Finding("lives", 6.0, "a:1 is missing (reader-c at c, 6.000-6.100 s)")
    third = Finding("lives", 8.0, "a:1 is missing (reader-c at c, 8.000-8.100 s)")

    (told,) = gathered([later, first, third])

    assert told.at_s == 6.0
    assert told.text == f"{first.text}, and 2 more like it"


def test_what_differs_is_told_apart() -> None:
    """By what it is about, and by who says so."""
    several = [
        Finding("lives", 1.0, "a:1 is missing (x)"),
        Finding("lives", 2.0, "a:2 is missing (x)"),
        Finding("answers", 3.0, "a:1 is missing (x)"),
    ]

    assert gathered(several[::-1]) == several
