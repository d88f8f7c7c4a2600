"""Query options and conditions."""

import pytest
from yarl import URL

from registry.api import options
from registry.discovery import EVERY, HEALTHY, PLAIN, Consistency, InstanceFilter
from registry.errors import InvalidField
from registry.model import Status


def _service(query: str) -> tuple[InstanceFilter, Consistency]:
    return options.service_options(URL(f"/services/web?{query}", encoded=True))


@pytest.mark.parametrize("query", ["", "status=healthy", "consistent=false", "x=y"])
def test_the_default_question_is_always_the_same_object(query: str) -> None:
    """Its answers are prebuilt, so it must be recognised however it is put."""
    wanted, consistency = _service(query)

    assert wanted is HEALTHY
    assert consistency is PLAIN


def test_the_order_of_tags_and_metadata_does_not_matter() -> None:
    """The same question has the same ETag, however a client builds its query."""
    asked = _service("tag=b&tag=a&tag=b&metadata.y=1&metadata.x=2")[0]

    assert asked == _service("metadata.x=2&metadata.y=1&tag=a&tag=b")[0]
    assert _service("status=all")[0] is EVERY


@pytest.mark.parametrize(
    ("query", "field"), [("after=a&after=b", "after"), ("limit=1&limit=1", "limit")]
)
def test_a_page_is_asked_for_once(query: str, field: str) -> None:
    """Which of two was meant, nobody can know."""
    with pytest.raises(InvalidField) as caught:
        options.services_options(URL(f"/services?{query}", encoded=True))

    assert caught.value.field == field


def test_a_page_has_a_thousand_services_unless_fewer_are_asked_for() -> None:
    """A list that grows without bound holds up the loop."""
    page, _ = options.services_options(URL("/services"))

    assert (page.after, page.limit) == ("", 1000)


def test_every_option_is_understood() -> None:
    """Tags and metadata may be repeated."""
    wanted, consistency = _service(
        "status=all&tag=a&tag=b&zone=z&metadata.k=v&metadata.k.x=1"
        "&consistent&min_index=7"
    )

    assert wanted == InstanceFilter(
        status=None,
        tags=("a", "b"),
        zone="z",
        metadata=(("k", "v"), ("k.x", "1")),
    )
    assert consistency == Consistency(consistent=True, min_index=7)


def test_a_single_status_can_be_asked_for() -> None:
    """Operators look for the unhealthy ones."""
    assert _service("status=unhealthy")[0].status is Status.UNHEALTHY


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=sick", "status"),
        ("stale=true&consistent=true", "stale"),
        ("stale=2", "stale"),
        ("min_index=1e3", "min_index"),
        ("min_index=%2B1", "min_index"),
        ("min_index=" + "9" * 5000, "min_index"),
        ("min_index=9223372036854775808", "min_index"),
        ("min_index=%C2%B2", "min_index"),
        ("min_index=", "min_index"),
        ("status=", "status"),
        ("status=all&status=healthy", "status"),
        ("status=all&status=all", "status"),
        ("zone=a&zone=b", "zone"),
        ("min_index=1&min_index=2", "min_index"),
        ("stale&stale", "stale"),
        ("consistent=1&consistent=0", "consistent"),
    ],
)
def test_a_value_without_sense_is_refused_by_name(query: str, field: str) -> None:
    """Ignoring it would answer another question than the one asked."""
    with pytest.raises(InvalidField) as caught:
        _service(query)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("sent", "unchanged"),
    [
        (None, False),
        ('W/"7"', True),
        ('"7"', True),
        ('W/"6", W/"7"', True),
        ("*", True),
        ('W/"77"', False),
        ("", False),
        ("7", False),
    ],
)
def test_conditions_compare_weakly(sent: str | None, *, unchanged: bool) -> None:
    """RFC 9110: If-None-Match ignores the weakness mark."""
    assert options.is_unchanged(sent, 'W/"7"') is unchanged
