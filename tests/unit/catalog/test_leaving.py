"""Deregister and Expire: who goes, who is fenced off, what the indices say."""

from registry.catalog.commands import Expire, Expiry
from registry.catalog.outcomes import Code
from registry.model import ServiceId, Status
from tests.support.catalog_driver import T0_MS, CatalogDriver


def test_the_last_registration_takes_its_instance_and_service_along() -> None:
    """A service exists while an instance does."""
    log = CatalogDriver()
    log.register("a")

    assert log.deregister("a") is Code.OK
    assert log.catalog.service("web") is None
    assert log.catalog.names() == ()
    assert (log.catalog.instances, log.catalog.healthy, log.catalog.services) == (
        0,
        0,
        0,
    )


def test_an_unknown_id_is_refused() -> None:
    """The client learns that there is nothing to end."""
    assert CatalogDriver().deregister("a") is Code.UNKNOWN_SERVICE_ID


def test_a_deregistered_one_cannot_be_revived() -> None:
    """Nothing that was ended on purpose comes back."""
    log = CatalogDriver()
    log.register("a")
    log.deregister("a")

    assert log.renew("a") == (Code.UNKNOWN_SERVICE_ID,)


def test_deregistering_an_expired_one_forgets_it() -> None:
    """A late heartbeat must not bring back what its owner has ended meanwhile."""
    log = CatalogDriver()
    log.register("a")
    log.expire("a")

    assert log.deregister("a") is Code.OK
    assert log.deregister("a") is Code.UNKNOWN_SERVICE_ID
    assert log.renew("a") == (Code.UNKNOWN_SERVICE_ID,)


def test_an_expired_lease_ends_its_registration_only() -> None:
    """Leases belong to registrations; the instance lives while any of them does."""
    log = CatalogDriver()
    log.register("a")
    log.register("b")

    assert log.expire("b") == (Code.OK,)
    assert [i.registration.service_id for i in log.instances()] == ["a"]
    assert log.expire("a") == (Code.OK,)
    assert log.instances() == ()


def test_a_renewal_that_the_keeper_had_not_seen_saves_the_lease() -> None:
    """I4: the heartbeat was acknowledged before the eviction came through the log."""
    log = CatalogDriver()
    log.register("a")
    seen = log.expiries(["a"])
    log.renew("a")

    assert log.apply(Expire(items=seen, at_ms=T0_MS)).items == (Code.RENEWED_SINCE,)
    assert len(log.instances()) == 1


def test_an_expiry_of_a_former_generation_is_stale() -> None:
    """I5: the lease that ran out was that of the former life."""
    log = CatalogDriver()
    log.register("a")
    seen = log.expiries(["a"])
    log.register("a")

    assert log.apply(Expire(items=seen, at_ms=T0_MS)).items == (Code.STALE_GENERATION,)
    assert len(log.instances()) == 1


def test_each_expiry_has_its_own_code() -> None:
    """One bad item does not spoil the batch."""
    log = CatalogDriver()
    log.register("a")
    log.register("b", host="web-2")
    items = (Expiry(ServiceId("none"), 1, 1), *log.expiries(["a", "a", "b"]))

    assert log.apply(Expire(items=items, at_ms=T0_MS)).items == (
        Code.UNKNOWN_SERVICE_ID,
        Code.OK,
        Code.UNKNOWN_SERVICE_ID,
        Code.OK,
    )


def test_what_a_reader_sees_of_a_name_never_goes_back() -> None:
    """I7: gone, the name shows the last removal; back, a still later index."""
    log = CatalogDriver()
    seen = []
    for step in (log.register, log.deregister, log.register):
        step("a")
        seen.append(log.catalog.service_index("web"))
    log.set_status("a", Status.UNHEALTHY)
    seen.append(log.catalog.service_index("web"))
    log.expire("a")
    seen.append(log.catalog.service_index("web"))

    assert seen == [1, 2, 3, 4, 5]
    assert log.catalog.removal_index("web") == 5


def test_removing_one_of_several_instances_is_no_removal_of_the_service() -> None:
    """Readers of names that do not exist are not disturbed by it."""
    log = CatalogDriver()
    log.register("a", host="web-1")
    log.register("b", host="web-2")
    log.deregister("a")

    assert log.catalog.removal_index("none") == 0
    assert log.catalog.service_index("web") == 3
