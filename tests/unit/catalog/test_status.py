"""SetStatus: fenced by generation, recorded on a transition only."""

from registry.catalog.commands import SetStatus
from registry.catalog.outcomes import Code
from registry.model import ServiceId, Status
from tests.support.catalog_driver import T0_MS, CatalogDriver


def test_a_transition_takes_an_instance_off_the_healthy_list() -> None:
    """And moves the service's index, so that watchers hear of it."""
    log = CatalogDriver()
    log.register("a")
    assert log.set_status("a", Status.UNHEALTHY, "connection refused") is Code.OK

    view = log.catalog.service("web")
    assert view is not None
    assert view.healthy == ()
    assert view.index == log.index
    assert view.instances[0].cause == "connection refused"
    assert (log.catalog.instances, log.catalog.healthy) == (1, 0)


def test_the_same_status_again_changes_nothing() -> None:
    """Only transitions are history."""
    log = CatalogDriver()
    log.register("a")
    view = log.catalog.service("web")

    assert log.set_status("a", Status.HEALTHY, "again") is Code.UNCHANGED
    assert log.catalog.service("web") is view


def test_a_status_of_a_former_generation_is_stale() -> None:
    """I5: the probe saw the process before the restart."""
    log = CatalogDriver()
    former = log.register("a").generation
    log.register("a")
    command = SetStatus(
        service_id=ServiceId("a"),
        generation=former,
        status=Status.UNHEALTHY,
        cause="late",
        at_ms=T0_MS,
    )

    assert log.apply(command).code is Code.STALE_GENERATION
    assert log.instance("a").status is Status.HEALTHY


def test_a_status_of_an_unknown_id_is_refused() -> None:
    """It left while the probe was under way."""
    assert CatalogDriver().set_status("a", Status.HEALTHY) is Code.UNKNOWN_SERVICE_ID


def test_any_registration_behind_an_instance_speaks_for_it() -> None:
    """Status belongs to the instance, and survives the one that reported it."""
    log = CatalogDriver()
    log.register("a")
    log.register("b")
    log.set_status("a", Status.UNHEALTHY)
    log.deregister("a")

    assert log.instance("b").status is Status.UNHEALTHY
