"""The checker's model of one registration, against histories whose verdict is known."""

from collections.abc import Hashable

import pytest

from registry.catalog.outcomes import Code
from tests.simulation.registration_model import registration_step
from tests.support.history import History, Operation
from tests.support.wgl import check

Row = tuple[str, Hashable, Hashable]

REGISTERED: Row = ("write", None, ("Register", Code.OK, 256))
RENEWED: Row = ("write", None, ("Renew", Code.OK, 512))
ENDED: Row = ("write", None, ("Deregister", Code.OK, 768))
EXPIRED: Row = ("write", (256, 256), ("Expire", Code.OK, 768))
TOO_LATE: Row = ("write", (256, 256), ("Expire", Code.RENEWED_SINCE, 768))
REVIVED: Row = ("write", None, ("Renew", Code.REVIVED, 1024))
CHECKED: Row = ("write", True, ("Register", Code.OK, 256))
PASSED: Row = ("write", (256, True), ("SetStatus", Code.OK, 1024))
EXPIRED_AGAIN: Row = ("write", (256, 768), ("Expire", Code.OK, 1280))
RENEWED_BY_CHECK: Row = ("write", True, ("Renew", Code.OK, 1024))


def verdict(*rows: Row) -> bool:
    """Return whether these operations, one after the other, are possible."""
    history = History()
    for number, (op, argument, result) in enumerate(rows):
        times = (2.0 * number, 2.0 * number + 1.0)
        history.add(Operation("id", op, argument, result, *times))
    return check(history, registration_step, initial=None) == []


@pytest.mark.parametrize(
    "rows",
    [
        (("read", None, None), REGISTERED, ("read", None, 256)),
        (REGISTERED, RENEWED, ("read", None, 256), ENDED, ("read", None, None)),
        (REGISTERED, EXPIRED, ("read", None, None), REVIVED, ("read", None, 1024)),
        (REGISTERED, RENEWED, TOO_LATE, ("read", None, 256)),
        (CHECKED, EXPIRED, ("read", None, 256), REVIVED, ("read", None, 1024)),
        (CHECKED, EXPIRED, PASSED, ("read", None, 256), RENEWED_BY_CHECK),
        (CHECKED, EXPIRED, EXPIRED_AGAIN, ("read", None, None)),
    ],
)
def test_a_possible_life_is_accepted(rows: tuple[Row, ...]) -> None:
    """Registering, renewing, expiring, reviving and ending, as I5 has them."""
    assert verdict(*rows)


@pytest.mark.parametrize(
    "rows",
    [
        (REGISTERED, ("read", None, None)),
        (REGISTERED, ENDED, ("read", None, 256)),
        (REGISTERED, ENDED, RENEWED),
        (REGISTERED, RENEWED, EXPIRED),
        (REGISTERED, REVIVED),
        (REGISTERED, TOO_LATE),
        (CHECKED, EXPIRED, ("read", None, None)),
        (CHECKED, EXPIRED, RENEWED_BY_CHECK),
        (CHECKED, EXPIRED, PASSED, EXPIRED_AGAIN),
        (REGISTERED, EXPIRED, PASSED),
    ],
)
def test_an_impossible_life_is_found(rows: tuple[Row, ...]) -> None:
    """A lost or resurrected registration, and a lease that expires too early (I4)."""
    assert not verdict(*rows)
