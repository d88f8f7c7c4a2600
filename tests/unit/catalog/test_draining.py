"""Drain and Undrain: what is shown over what is the case."""

from registry.catalog.bounds import Limits
from registry.catalog.commands import Drain
from registry.catalog.outcomes import Code
from registry.model import ServiceName, Status
from tests.support.catalog_driver import CHECK, KEY, T0_MS, CatalogDriver


def shown(log: CatalogDriver, service_id: str = "a") -> tuple[str, str]:
    """Return status and cause as readers see them."""
    instance = log.instance(service_id)
    return (instance.status, instance.cause)


def drained() -> CatalogDriver:
    """Return a catalog with one instance, drained."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    assert log.drain(at_ms=T0_MS + 5) is Code.OK
    return log


def test_a_drained_instance_leaves_the_list_and_stays_known() -> None:
    """At once, with its reason, and since when."""
    log = drained()
    view = log.catalog.service("web")

    assert view is not None
    assert (view.healthy, view.index, log.catalog.healthy) == ((), log.index, 0)
    assert shown(log) == (Status.DRAINING, "drained: upgrade")
    assert log.instance("a").since_ms == T0_MS + 5
    assert log.catalog.drained == 1


def test_a_drain_without_a_reason_has_a_cause_too() -> None:
    """No status is without one."""
    log = CatalogDriver()
    log.register("a")
    log.drain(reason="")

    assert shown(log) == (Status.DRAINING, "drained")


def test_a_drain_outlives_the_registrations_of_its_address() -> None:
    """A restart in the middle of maintenance must not bring the callers back."""
    log = drained()
    log.deregister("a")
    log.register("b")

    assert shown(log, "b") == (Status.DRAINING, "drained: upgrade")
    assert log.catalog.counts("web") == (1, 0)


def test_what_happened_below_a_drain_shows_when_it_ends() -> None:
    """With the cause and the time that it had then."""
    log = drained()
    log.checked("a", Status.UNHEALTHY, "check_failed: 503", at_ms=T0_MS + 9)
    assert shown(log) == (Status.DRAINING, "drained: upgrade")
    assert log.undrain() is Code.OK

    assert shown(log) == (Status.UNHEALTHY, "check_failed: 503")
    assert log.instance("a").since_ms == T0_MS + 9
    assert log.catalog.history("web")[-1].cause == "undrained"


def test_an_undrained_healthy_one_is_listed_again() -> None:
    """And counted."""
    log = drained()
    log.undrain()

    assert shown(log) == (Status.HEALTHY, "registered")
    assert log.catalog.healthy == 1
    assert log.catalog.drains() == []


def test_a_lease_runs_out_below_a_drain() -> None:
    """Maintenance does not keep alive what is gone."""
    log = drained()
    log.expire("a")
    assert shown(log) == (Status.DRAINING, "drained: upgrade")
    log.expire("a")

    assert log.instances() == ()
    assert log.catalog.drained == 1


def test_each_address_has_its_own_code() -> None:
    """A drain of a host names many, some of which may be gone."""
    log = CatalogDriver()
    log.register("a")
    stranger = (ServiceName("web"), "web-9", 8500)
    command = Drain(keys=(stranger, KEY), reason="", at_ms=T0_MS)

    assert log.apply(command).items == (Code.UNKNOWN_SERVICE_ID, Code.OK)
    assert log.undrain(stranger) is Code.NOT_DRAINED


def test_a_second_drain_replaces_the_first() -> None:
    """Also of an absent instance; the first one's time limit no longer counts."""
    log = drained()
    first = log.position
    log.deregister("a")
    assert log.drain(reason="longer") is Code.OK

    assert log.undrain(drained_at=first) is Code.STALE_GENERATION
    assert log.undrain(drained_at=log.position - 256) is Code.OK


def test_drains_are_bounded() -> None:
    """They outlive what they lie over, so somebody must count them."""
    log = CatalogDriver(Limits(drains=1))
    log.register("a")
    log.register("b", host="web-2")
    other = (ServiceName("web"), "web-2", 8500)
    log.drain()

    assert log.drain(other) is Code.TOO_MANY_DRAINS
    assert log.drain() is Code.OK
