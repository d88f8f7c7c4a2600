"""What has a check is kept when its lease ends, and how it comes back or goes."""

import pytest

from registry.catalog.commands import Expire, Renew
from registry.catalog.outcomes import Code
from registry.model import ServiceId, Status
from tests.support.catalog_driver import CHECK, T0_MS, CatalogDriver


def kept() -> CatalogDriver:
    """Return a catalog with one checked registration that has expired."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    assert log.expire("a") == (Code.OK,)
    return log


def gone_cause(log: CatalogDriver, service_id: str) -> str:
    """Return why a registration went."""
    gone = log.catalog.gone(service_id)
    assert gone is not None, f"{service_id} is not gone"
    return gone.cause


def test_a_checked_one_stays_unhealthy_when_its_lease_ends() -> None:
    """Its check may pass again: a slow client is not gone."""
    log = kept()
    instance, lease = log.instance("a"), log.catalog.lease("a")

    assert instance.status is Status.UNHEALTHY
    assert instance.cause == "lease_expired: no heartbeat or passing check for 300 s"
    assert lease is not None
    assert (lease.expired, lease.renewed_at) == (True, log.position)
    assert log.catalog.gone_count == 0
    assert log.catalog.service_index("web") == log.index


def test_the_same_expiry_twice_does_not_end_what_was_kept() -> None:
    """A second keeper that had not seen the first one's Expire is fenced off."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    seen = log.expiries(["a"])
    log.expire("a")

    assert log.apply(Expire(items=seen, at_ms=T0_MS)).items == (Code.RENEWED_SINCE,)
    assert len(log.instances()) == 1


def test_what_was_kept_goes_with_its_second_expiry() -> None:
    """Nobody missed it for all that time; a heartbeat could bring it back still."""
    log = kept()

    assert log.expire("a", after_s=3600.0) == (Code.OK,)
    assert log.instances() == ()
    assert gone_cause(log, "a") == "deregistered: unhealthy for 3600 s"
    assert log.renew("a") == (Code.REVIVED,)


def test_one_without_a_check_goes_at_once() -> None:
    """Nothing but a heartbeat could tell that it lives."""
    log = CatalogDriver()
    log.register("a")
    log.expire("a", after_s=2.5)

    assert log.instances() == ()
    assert gone_cause(log, "a") == "lease_expired: no heartbeat for 2.5 s"


def test_one_of_several_behind_an_instance_goes_though_it_has_a_check() -> None:
    """The others keep the instance: there is nothing to keep it for."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    log.register("b", check=CHECK)
    log.expire("a")

    assert log.instance("b").status is Status.HEALTHY
    assert (
        gone_cause(log, "a") == "lease_expired: no heartbeat or passing check for 300 s"
    )


def test_the_last_one_is_kept_though_an_expired_one_stands_behind_it() -> None:
    """A client that crashed and came back under another id, then is out of reach."""
    log = kept()
    log.register("again", check=CHECK)
    assert log.expire("again") == (Code.OK,)

    lease = log.catalog.lease("again")
    assert lease is not None
    assert lease.expired
    assert log.expire("a", after_s=3600.0) == (Code.OK,)
    assert len(log.instances()) == 1


def test_a_passing_check_is_a_proof_of_life_and_no_new_registration() -> None:
    """The generation stays: nothing that was in flight becomes stale."""
    log = kept()
    generation = log.generation("a")
    assert log.checked("a", Status.HEALTHY, "check_passed", at_ms=T0_MS + 7) is Code.OK

    instance, lease = log.instance("a"), log.catalog.lease("a")
    assert (instance.status, instance.cause) == (Status.HEALTHY, "check_passed")
    assert instance.last_heartbeat_ms == T0_MS + 7
    assert log.generation("a") == generation
    assert lease is not None
    assert (lease.expired, lease.renewed_at) == (False, log.position)


def test_a_heartbeat_brings_what_was_kept_back_as_a_new_registration() -> None:
    """It begins anew: what was known of it is a lease old."""
    log = CatalogDriver()
    log.register("a", check=CHECK, initial_status=Status.STARTING)
    log.checked("a", Status.HEALTHY, "check_passed")
    log.expire("a")
    assert log.renew("a") == (Code.REVIVED,)

    instance = log.instance("a")
    assert log.generation("a") == log.position
    assert (instance.status, instance.cause) == (
        Status.STARTING,
        "revived by heartbeat",
    )


def test_registering_ends_the_expiry() -> None:
    """It is a new lease like any other."""
    log = kept()
    log.register("a", check=CHECK)
    lease = log.catalog.lease("a")

    assert lease is not None
    assert not lease.expired
    assert log.instance("a").status is Status.HEALTHY


def test_a_newer_registration_does_not_bring_the_expired_one_back() -> None:
    """Each lease is its own: the keeper ends the old one without the instance."""
    log = kept()
    log.register("b", check=CHECK)
    assert log.instance("a").status is Status.HEALTHY
    assert log.expire("a") == (Code.OK,)

    assert [i.registrations for i in log.instances()] == [1]
    assert log.instance("b").status is Status.HEALTHY


def test_a_renewal_by_check_revives_nothing() -> None:
    """The check that passed was of what is there; the rest is for SetStatus."""
    log = kept()
    log.register("b", host="web-2")
    log.register("c", host="web-3")
    log.expire("c")
    ids = tuple(map(ServiceId, "abc"))
    command = Renew(schema=2, service_ids=ids, at_ms=T0_MS, by_check=True)
    unknown = Code.UNKNOWN_SERVICE_ID

    assert log.apply(command).items == (unknown, Code.OK, unknown)
    assert log.instance("a").status is Status.UNHEALTHY


def test_a_check_speaks_of_the_newest_registration_only() -> None:
    """A verdict on the former process is no verdict on its successor."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    log.register("b", check=CHECK)

    assert log.checked("a", Status.UNHEALTHY, "check_failed") is Code.STALE_GENERATION
    assert log.checked("b", Status.UNHEALTHY, "check_failed") is Code.OK


def test_a_check_may_say_the_same_for_another_reason() -> None:
    """The cause is what `why` shows, so it is kept up; the same one is no news."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    failed = "check_failed: {} (3 of 3)"
    log.checked("a", Status.UNHEALTHY, failed.format("connect refused"))
    index = log.index

    for _ in range(2):
        log.checked("a", Status.UNHEALTHY, failed.format("503"))
    assert log.instance("a").cause == failed.format("503")
    assert log.catalog.service_index("web") == index + 1


@pytest.mark.parametrize("schema", [1, 2])
def test_the_former_version_kept_nothing(schema: int) -> None:
    """I1: its log must lead this version to the state that it had itself."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    command = Expire(schema=schema, items=log.expiries(["a"]), at_ms=T0_MS)

    assert log.apply(command).items == (Code.OK,)
    assert len(log.instances()) == (schema == 2)


def test_an_instance_that_only_expired_ones_stand_behind_is_unhealthy() -> None:
    """Whoever kept it up is gone, and nothing has passed since."""
    for leaves in (CatalogDriver.deregister, CatalogDriver.expire):
        log = kept()
        log.register("b")
        assert log.instance("a").status is Status.HEALTHY
        leaves(log, "b")

        instance = log.instance("a")
        assert instance.status is Status.UNHEALTHY
        assert instance.cause == "lease_expired: only expired registrations are left"
        assert log.catalog.healthy == 0
        assert log.checked("a", Status.HEALTHY, "check_passed") is Code.OK


def test_a_passing_check_ends_the_expiry_even_if_it_says_nothing_new() -> None:
    """Somebody reported it healthy before, which is no proof of life."""
    log = kept()
    log.set_status("a", Status.HEALTHY, "check_passed")
    assert log.checked("a", Status.HEALTHY, "check_passed") is Code.OK
    lease = log.catalog.lease("a")

    assert lease is not None
    assert not lease.expired
    assert log.checked("a", Status.HEALTHY, "check_passed") is Code.UNCHANGED


def test_a_failing_check_does_not_end_it() -> None:
    """Nor does it move the lease."""
    log = kept()
    before = log.catalog.lease("a")
    log.checked("a", Status.UNHEALTHY, "check_failed: 503 (3 of 3)")

    assert log.catalog.lease("a") == before
