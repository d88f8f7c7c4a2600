"""What readers are handed: immutable, ordered, the same until something changes."""

from bisect import bisect_right

from registry.model import ServiceName, Status
from tests.support.catalog_driver import CatalogDriver


def test_a_view_is_the_same_object_until_the_service_changes() -> None:
    """Readers may keep what they derived from it; other services do not matter."""
    log = CatalogDriver()
    log.register("a", name="web")
    view = log.catalog.service("web")
    log.register("b", name="api")

    assert log.catalog.service("web") is view
    log.register("c", name="web", host="web-2")
    assert log.catalog.service("web") is not view


def test_a_view_once_taken_does_not_change() -> None:
    """A reader that waits in between sees one moment throughout."""
    log = CatalogDriver()
    log.register("a")
    view = log.catalog.service("web")
    assert view is not None
    before = (view.index, view.instances, view.healthy)
    log.register("b", host="web-2")
    log.deregister("a")

    assert (view.index, view.instances, view.healthy) == before


def test_instances_stand_in_the_order_in_which_they_appeared() -> None:
    """Old clients take the first: it must not jump about at each renewal or status."""
    log = CatalogDriver()
    for number in (3, 1, 2):
        log.register(f"id-{number}", host=f"web-{number}")
    log.renew("id-1")
    log.set_status("id-3", Status.UNHEALTHY)
    log.register("id-1", host="web-1")

    assert [i.registration.host for i in log.instances()] == ["web-3", "web-1", "web-2"]
    view = log.catalog.service("web")
    assert view is not None
    assert [i.registration.host for i in view.healthy] == ["web-1", "web-2"]


def test_names_are_sorted_for_paging() -> None:
    """A page begins behind the last name of the page before, whatever came or went."""
    log = CatalogDriver()
    for number, name in enumerate(("m", "z", "a", "k")):
        log.register(str(number), name=name)
    names = log.catalog.names()
    log.deregister("0")

    assert names == ("a", "k", "m", "z")
    assert log.catalog.names() == ("a", "k", "z")
    assert bisect_right(log.catalog.names(), ServiceName("m")) == 2


def test_the_index_is_that_of_the_last_entry_applied() -> None:
    """Entries without a command count, too: a reader may wait for them."""
    log = CatalogDriver()
    log.register("a")
    log.machine.applied(7)

    assert log.catalog.index == 7
    assert log.catalog.service_index("web") == 1


def test_unknown_names_and_ids_have_nothing() -> None:
    """A name that was never there shows index 0."""
    catalog = CatalogDriver().catalog

    assert catalog.service("web") is None
    assert catalog.registration("a") is None
    assert catalog.instance("a") is None
    assert catalog.lease("a") is None
    assert catalog.service_index("web") == catalog.removal_index("web") == 0


def test_repeating_strings_are_held_once() -> None:
    """100,000 registrations of a few hundred services must not hold 100,000 names."""
    log = CatalogDriver()
    log.register("a", host="web-1", tags=("blue",))
    log.register("b", host="web-1", port=9, tags=("blue",))
    one, other = (i.registration for i in log.instances())

    assert one.name is other.name
    assert one.host is other.host
    assert one.tags[0] is other.tags[0]


def test_counts_of_a_service_need_no_view() -> None:
    """The list of all services must not build ten thousand views for its counts."""
    log = CatalogDriver()
    log.register("a", host="web-1")
    log.register("b", host="web-2")
    log.set_status("b", Status.UNHEALTHY)
    assert log.catalog.counts("web") == (2, 1)
    assert log.machine.state.services[ServiceName("web")].view is None

    log.deregister("a")
    assert log.catalog.counts("web") == (1, 0)
    assert log.catalog.counts("nobody") == (0, 0)
