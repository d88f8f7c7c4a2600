"""Renew: leases, `last_heartbeat`, and what expired coming back."""

from registry.catalog.bounds import Limits
from registry.catalog.commands import Renew
from registry.catalog.outcomes import Code
from registry.model import ServiceId, Status
from tests.support.catalog_driver import T0_MS, CatalogDriver


def test_a_renewal_moves_the_lease_but_not_the_index() -> None:
    """A heartbeat wakes no watcher."""
    log = CatalogDriver()
    log.register("a")
    index = log.catalog.service_index("web")
    assert log.renew("a", at_ms=T0_MS + 5) == (Code.OK,)

    lease = log.catalog.lease("a")
    assert lease is not None
    assert lease.renewed_at == log.position
    assert log.catalog.service_index("web") == index


def test_lists_show_the_newest_heartbeat_at_once() -> None:
    """The view is replaced, its index is not."""
    log = CatalogDriver()
    log.register("a")
    before = log.catalog.service("web")
    log.renew("a", at_ms=T0_MS + 5)
    after = log.catalog.service("web")

    assert before is not None
    assert after is not None
    assert [i.last_heartbeat_ms for i in before.instances] == [T0_MS]
    assert [i.last_heartbeat_ms for i in after.instances] == [T0_MS + 5]
    assert before.index == after.index


def test_a_heartbeat_does_not_set_the_time_back() -> None:
    """Replicas' wall clocks differ, and `last_heartbeat` is stamped by any of them."""
    log = CatalogDriver()
    log.register("a")
    log.renew("a", at_ms=T0_MS - 9)

    assert log.instance("a").last_heartbeat_ms == T0_MS


def test_registering_anew_ends_a_time_from_a_clock_that_was_ahead() -> None:
    """Heartbeats alone would show a time in the future until it has come."""
    log = CatalogDriver()
    log.register("a")
    log.renew("a", at_ms=T0_MS + 10**9)
    log.register("a", at_ms=T0_MS + 5)
    assert log.instance("a").last_heartbeat_ms == T0_MS + 5

    log.renew("a", at_ms=T0_MS + 7)
    assert log.instance("a").last_heartbeat_ms == T0_MS + 7


def test_an_instance_shows_the_newest_heartbeat_of_all_behind_it() -> None:
    """And falls back when that registration leaves: it speaks for the living only."""
    log = CatalogDriver()
    log.register("a")
    log.register("b")
    log.renew("a", at_ms=T0_MS + 7)
    assert log.instance("b").last_heartbeat_ms == T0_MS + 7

    log.deregister("a")
    assert log.instance("b").last_heartbeat_ms == T0_MS


def test_each_item_has_its_own_code() -> None:
    """Heartbeats of many clients share one command, not one fate."""
    log = CatalogDriver()
    log.register("a")
    log.register("b", host="web-2")
    log.expire("b")

    assert log.renew("a", "none", "b") == (
        Code.OK,
        Code.UNKNOWN_SERVICE_ID,
        Code.REVIVED,
    )


def test_an_expired_one_comes_back_by_a_heartbeat_with_a_new_generation() -> None:
    """The seed's client never registers again; after a long pause it must be found."""
    log = CatalogDriver()
    log.register("a", tags=("kept",))
    first = log.generation("a")
    log.expire("a")
    command = Renew(service_ids=(ServiceId("a"),), at_ms=T0_MS + 9)
    outcome = log.apply(command)

    instance = log.instance("a")
    assert outcome.generation == log.position == log.generation("a") > first
    assert (instance.status, instance.cause) == (Status.HEALTHY, "revived by heartbeat")
    assert instance.registration.tags == ("kept",)
    assert instance.registration.registered_at_ms == T0_MS
    assert instance.last_heartbeat_ms == T0_MS + 9


def test_what_was_not_listed_when_it_expired_is_not_listed_when_it_returns() -> None:
    """A heartbeat is no passed check: an unhealthy one still has to pass one."""
    for status in (Status.UNHEALTHY, Status.STARTING, Status.DRAINING):
        log = CatalogDriver()
        log.register("a")
        log.set_status("a", status)
        log.expire("a")
        log.renew("a")

        assert log.instance("a").status is status


def test_a_revived_one_does_not_judge_an_instance_that_others_kept() -> None:
    """Status belongs to the instance, which never left."""
    log = CatalogDriver()
    log.register("a")
    log.register("b")
    log.expire("a")
    log.set_status("b", Status.UNHEALTHY, "check failed")
    log.renew("a")

    instance = log.instance("a")
    assert (instance.status, instance.cause) == (Status.UNHEALTHY, "check failed")
    assert instance.registrations == 2


def test_old_ones_are_forgotten_when_others_expire() -> None:
    """Memory of the gone is bounded in number, oldest first."""
    log = CatalogDriver(Limits(gone=2))
    for number, service_id in enumerate(("a", "b", "c")):
        log.register(service_id)
        log.expire(service_id, at_ms=T0_MS + number)
    assert list(log.machine.state.gone.entries) == ["b", "c"]

    log.register("d")
    log.expire("d")
    assert list(log.machine.state.gone.entries) == ["c", "d"]


def test_reviving_keeps_to_the_bounds() -> None:
    """A heartbeat is no way around a full catalog."""
    log = CatalogDriver(Limits(registrations=1))
    log.register("a")
    log.expire("a")
    log.register("b")
    assert log.renew("a") == (Code.TOO_MANY_REGISTRATIONS,)

    log = CatalogDriver(Limits(services=1))
    log.register("a", name="web")
    log.expire("a")
    log.register("b", name="api")
    assert log.renew("a") == (Code.TOO_MANY_SERVICES,)


def test_the_gone_are_bounded_in_bytes() -> None:
    """Ids are free, so their memory must not be."""
    log = CatalogDriver(Limits(gone_bytes=400))
    for service_id in ("a", "b", "c", "d"):
        log.register(service_id)
        log.expire(service_id)
    gone = log.machine.state.gone

    assert 0 < gone.size_bytes <= 400
    assert list(gone.entries)[-1] == "d"
    assert "a" not in gone.entries
