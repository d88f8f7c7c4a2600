"""Addresses that several services claim, and registrations that take one over."""

import time

import pytest

from registry.catalog.bounds import Limits
from registry.catalog.outcomes import Code
from registry.model import ServiceName, Status
from tests.support.catalog_driver import CatalogDriver


def names(log: CatalogDriver) -> tuple[str, ...]:
    """Return the services at the address of ``register``."""
    return log.catalog.services_at("web-1", 8500)


def test_two_services_may_share_an_address_and_are_counted() -> None:
    """It is worth a warning, not a refusal: host networking does that."""
    log = CatalogDriver()
    log.register("a", name="web")
    log.register("b", name="web")
    assert log.catalog.shared_addresses == 0
    log.register("c", name="api")
    assert (names(log), log.catalog.shared_addresses) == (("web", "api"), 1)

    log.deregister("c")
    assert (names(log), log.catalog.shared_addresses) == (("web",), 0)
    log.deregister("a")
    log.deregister("b")
    assert names(log) == ()


def test_an_exclusive_registration_takes_the_address_from_others() -> None:
    """A pod's address that is given to another belongs to its new owner alone."""
    log = CatalogDriver()
    for service_id, name in (("a", "web"), ("b", "web"), ("c", "db")):
        log.register(service_id, name=name)
    log.set_status("c", Status.UNHEALTHY)
    log.register("d", name="api", exclusive=True)

    assert names(log) == ("api",)
    assert log.catalog.names() == (ServiceName("api"),)
    assert log.catalog.registrations == 1
    for service_id in ("a", "b", "c"):
        gone = log.catalog.gone(service_id)
        assert gone is not None
        assert gone.cause == "replaced: web-1:8500 belongs to api now"
        assert gone.position == log.position
    assert log.catalog.history("db")[-1].before == "unhealthy"
    assert log.catalog.removal_index("web") == log.index


def test_what_was_replaced_is_not_brought_back_by_its_heartbeats() -> None:
    """It is another process's address now; who lives still registers again."""
    log = CatalogDriver()
    log.register("a", name="web")
    log.register("b", name="api", exclusive=True)

    assert log.renew("a") == (Code.UNKNOWN_SERVICE_ID,)
    log.register("a", name="web", host="web-2")
    assert log.catalog.gone("a") is None


def test_what_expired_there_before_is_not_brought_back_either() -> None:
    """Whether its lease ran out before or after makes no difference to the pod."""
    log = CatalogDriver()
    log.register("a", name="web")
    log.expire("a")
    log.register("b", name="api", exclusive=True)
    assert log.renew("a") == (Code.UNKNOWN_SERVICE_ID,)
    assert names(log) == ("api",)

    log.deregister("b")
    assert log.renew("a") == (Code.REVIVED,)


def test_what_came_after_an_exclusive_registration_may_be_revived() -> None:
    """It was let in beside the owner: a replica may be set to share addresses."""
    log = CatalogDriver()
    log.register("b", name="api", exclusive=True)
    log.register("a", name="web")
    log.expire("a")

    assert log.renew("a") == (Code.REVIVED,)


def test_an_address_is_the_same_in_whatever_spelling() -> None:
    """Names know no case, and IPv6 addresses need no brackets."""
    log = CatalogDriver()
    for service_id, host in (("a", "[::1]"), ("b", "Web-1")):
        log.register(service_id, name="web", host=host)
    log.register("c", name="api", host="::1", exclusive=True)
    log.register("d", name="api", host="web-1", exclusive=True)

    assert log.catalog.names() == ("api",)
    assert log.catalog.services_at("WEB-1", 8500) == ("api",)
    assert log.catalog.shared_addresses == 0


def test_one_registration_ends_a_bounded_number_of_others() -> None:
    """An apply must not hold up the loop; the next one ends the rest."""
    log = CatalogDriver(Limits(cleared=3))
    for number in range(5):
        log.register(f"s{number}", name=f"svc-{number}")
    log.register("x", name="api", exclusive=True)
    assert names(log) == ("svc-3", "svc-4", "api")

    log.register("x", name="api", exclusive=True)
    assert names(log) == ("api",)


@pytest.mark.slow
def test_thousands_at_one_address_cost_no_more_than_a_few() -> None:
    """Behind host networking or a proxy that is nobody's mistake."""
    log = CatalogDriver()
    for number in range(10_000):
        log.register(f"s{number}", name=f"svc-{number}")
    took_s = []
    for change in (
        lambda: log.register("x", name="api", exclusive=True),
        lambda: log.deregister("s5000"),
        lambda: log.expire("s5001"),
        lambda: log.renew("s5001"),
    ):
        started_s = time.process_time()
        change()
        took_s.append(time.process_time() - started_s)

    # A scan of the address for each that goes would take a second.
    assert max(took_s) < 0.1


def test_it_leaves_its_own_service_and_other_ports_alone() -> None:
    """They are no contradiction."""
    log = CatalogDriver()
    log.register("a", name="api")
    log.register("b", name="web", port=8501)
    log.register("c", name="api", exclusive=True)

    assert log.instance("a").registrations == 2
    assert log.catalog.names() == ("api", "web")


def test_a_refused_one_takes_nothing() -> None:
    """I2: a refusal changes nothing."""
    log = CatalogDriver()
    log.register("a", name="web")
    log.register("b", name="db", host="web-2")
    taken = log.register("b", name="api", exclusive=True)

    assert taken.code is Code.SERVICE_ID_TAKEN
    assert names(log) == ("web",)
