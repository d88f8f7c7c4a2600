"""SetStatus: fenced by generation, recorded on a transition only."""

import msgspec

from registry.catalog.commands import SetStatus, needing
from registry.catalog.outcomes import Code
from registry.model import ServiceId, Status
from tests.support.catalog_driver import CHECK, T0_MS, CatalogDriver


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


def test_a_report_that_comes_after_the_expiry_is_stale() -> None:
    """It is no proof of life: the heartbeat that carried it was taken before."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    log.expire("a")

    assert log.set_status("a", Status.HEALTHY) is Code.STALE_GENERATION
    assert log.instance("a").status is Status.UNHEALTHY


def test_what_a_service_says_of_itself_takes_the_place_of_what_its_check_found() -> (
    None
):
    """Or a check that passes again would list what itself says that it is unwell."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    log.checked("a", Status.UNHEALTHY, "check_failed: 503")
    full = "reported unhealthy by heartbeat: queue full"

    assert log.set_status("a", Status.UNHEALTHY, full) is Code.UNCHANGED
    taken = log.set_status("a", Status.UNHEALTHY, full, by_service=True)
    assert (taken, log.instance("a").cause) == (Code.OK, full)
    other = "reported unhealthy by heartbeat: queue fuller"
    again = log.set_status("a", Status.UNHEALTHY, other, by_service=True)
    assert (again, log.instance("a").cause) == (Code.UNCHANGED, full)


def test_a_report_that_insists_waits_until_every_member_understands_it() -> None:
    """I1: a member of the older version would answer that nothing changed."""
    report = SetStatus(
        service_id=ServiceId("a"),
        generation=256,
        status=Status.UNHEALTHY,
        cause="reported unhealthy by heartbeat",
        at_ms=T0_MS,
    )

    assert needing(report) == 1
    assert needing(msgspec.structs.replace(report, by_service=True)) == 2


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
