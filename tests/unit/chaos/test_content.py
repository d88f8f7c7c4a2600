"""Lists: equal at equal indexes, each entry once, and as it was registered."""

from collections.abc import Sequence

import pytest

from tests.chaos.checkers.content import check_content
from tests.chaos.evidence import REFUSED, UNKNOWN, Call, Record
from tests.unit.chaos.made import call, evidence, listing, texts

K = "kept-0"
ONES = [call("register", f"{K}:{n}", 1, index=n) for n in (1, 2)]
AT_B = "one at b, 3.000-3.100 s"


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_content(evidence(*records)))


def at_b(ids: str, index: int) -> Call:
    """Return a later list of another replica."""
    return listing(K, ids, 3, replica="b", index=index)


def shown(*entries: tuple[str, str]) -> Call:
    """Return a list of just these."""
    return listing(K, "", 3, replica="b", index=2, listed=entries)


def test_the_same_at_the_same_index_is_fine() -> None:
    """Of all replicas and kinds of reads; another index may list something else."""
    assert not told(
        ONES,
        listing(K, "1 2", 2, index=2),
        listing(K, "1 2", 2, index=2, is_consistent=True),
        at_b("2 1", 2),
        at_b("1", 3),
        listing("kept-1", "", 2, index=2),
        listing(K, "", 2, index=2, outcome=UNKNOWN),
    )


def test_two_lists_at_one_index_that_differ_are_found() -> None:
    """Whoever was asked for them."""
    assert told(ONES, listing(K, "1 2", 2, index=2), at_b("1", 2)) == [
        f"{K}: two lists at index 2 differ in {K}:2 at host-{K}:2:80: "
        f"the other is from one at a, 2.000-2.100 s ({AT_B})"
    ]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (
            [(f"{K}:1", f"host-{K}:1:80")] * 2,
            [f"{K}:1 is listed 2 times", f"host-{K}:1:80 is listed 2 times"],
        ),
        (
            [(f"{K}:1", "elsewhere:80")],
            [f"{K}:1 at elsewhere:80 is listed, nobody registered that here"],
        ),
        (
            [("kept-1:1", "host-kept-1:1:80")],
            ["kept-1:1 at host-kept-1:1:80 is listed, nobody registered that here"],
        ),
        (
            [(f"{K}:9", f"host-{K}:9:80")],
            [f"{K}:9 is listed before anybody registered it"],
        ),
        (
            [(f"{K}:8", f"host-{K}:8:80")],
            [f"{K}:8 at host-{K}:8:80 is listed, nobody registered that here"],
        ),
        ([(f"{K}:7", f"host-{K}:7:80")], []),
    ],
)
def test_an_entry_that_is_doubled_or_strange_is_found(
    entries: list[tuple[str, str]], expected: list[str]
) -> None:
    """One that was refused was never registered; one without an answer may be there."""
    others = [
        call("register", "kept-1:1", 1),
        call("register", f"{K}:7", 1, outcome=UNKNOWN),
        call("register", f"{K}:8", 1, outcome=REFUSED, code="no_leader"),
        call("register", f"{K}:9", 9),
    ]

    found = told(ONES, others, shown(*entries))

    assert found == [f"{K}: {text} ({AT_B})" for text in expected]
