"""Register: ids, generations, several registrations behind one instance, bounds."""

from registry.catalog.bounds import Limits
from registry.catalog.outcomes import Code
from registry.model import Status
from tests.support.catalog_driver import T0_MS, CatalogDriver


def test_a_registered_instance_is_listed_as_healthy() -> None:
    """Who registers asserts that the instance is up."""
    log = CatalogDriver()
    outcome = log.register("a")

    (instance,) = log.instances()
    assert (outcome.code, outcome.generation) == (Code.OK, log.position)
    assert (instance.status, instance.cause) == (Status.HEALTHY, "registered")
    assert instance.registration.generation == log.position
    assert instance.last_heartbeat_ms == instance.registration.registered_at_ms == T0_MS


def test_the_strict_choice_starts_unlisted() -> None:
    """`initial_status: starting` waits for the first passing check."""
    log = CatalogDriver()
    log.register("a", initial_status=Status.STARTING)

    view = log.catalog.service("web")
    assert view is not None
    assert [i.status for i in view.instances] == [Status.STARTING]
    assert view.healthy == ()


def test_registrations_of_one_address_form_one_instance_shown_as_the_newest() -> None:
    """Three processes behind one compose name are one place to connect to."""
    log = CatalogDriver()
    log.register("a", tags=("old",))
    log.register("b", tags=("new",))

    (instance,) = log.instances()
    assert instance.registration.service_id == "b"
    assert instance.registration.tags == ("new",)
    assert instance.registrations == 2
    assert log.catalog.instance("a") is log.catalog.instance("b")


def test_a_rolling_restart_behind_one_address_never_empties_the_list() -> None:
    """The new process registers before the old one leaves, under another id."""
    log = CatalogDriver()
    log.register("old")
    log.register("new")
    log.deregister("old")

    (instance,) = log.instances()
    assert instance.registration.service_id == "new"
    assert instance.registrations == 1


def test_when_the_newest_leaves_the_one_before_is_shown() -> None:
    """What is shown is always a registration that lives."""
    log = CatalogDriver()
    log.register("a", tags=("first",))
    log.register("b", tags=("second",))
    log.deregister("b")

    assert log.instances()[0].registration.tags == ("first",)


def test_a_known_id_keeps_its_place_with_a_new_generation() -> None:
    """Registering again is a restart: messages about the former life are stale (I5)."""
    log = CatalogDriver()
    first = log.register("a").generation
    second = log.register("a").generation

    assert second > first
    assert log.generation("a") == second
    assert log.catalog.registrations == log.catalog.instances == 1


def test_registering_again_makes_an_id_the_newest_of_its_instance() -> None:
    """Newest means the newest generation, so the oldest is dropped in that order."""
    log = CatalogDriver(Limits(registrations_per_instance=2))
    log.register("a")
    log.register("b")
    log.register("a")
    assert log.instances()[0].registration.service_id == "a"

    log.register("c")
    assert log.catalog.registration("b") is None
    assert log.catalog.registration("a") is not None


def test_a_known_id_may_move_to_another_address() -> None:
    """The former instance goes with it; the service never vanishes."""
    log = CatalogDriver()
    log.register("a", host="web-1")
    log.register("a", host="web-2")

    assert [i.registration.host for i in log.instances()] == ["web-2"]
    assert log.catalog.removal_index("none") == 0


def test_an_id_that_moves_leaves_the_others_behind_its_former_instance() -> None:
    """Only the registration moves, not the instance."""
    log = CatalogDriver()
    log.register("a", host="web-1")
    log.register("b", host="web-1")
    log.register("b", host="web-2")

    shown = [(i.registration.service_id, i.registrations) for i in log.instances()]
    assert shown == [("a", 1), ("b", 1)]


def test_an_id_under_another_name_is_refused() -> None:
    """An id belongs to one service: a typo must not move an instance to another."""
    log = CatalogDriver()
    log.register("a", name="web")
    before = log.snapshot()[1:]

    assert log.register("a", name="api").code is Code.SERVICE_ID_TAKEN
    assert log.snapshot()[1:] == before


def test_beyond_the_limit_of_an_instance_the_oldest_registration_goes() -> None:
    """A process that crashes in a loop without deregistering stays bounded."""
    log = CatalogDriver(Limits(registrations_per_instance=2))
    for service_id in ("a", "b", "c"):
        log.register(service_id)

    assert log.instances()[0].registrations == 2
    assert log.deregister("a") is Code.UNKNOWN_SERVICE_ID
    assert log.renew("a") == (Code.UNKNOWN_SERVICE_ID,)


def test_a_full_catalog_refuses_new_ids_and_still_takes_known_ones() -> None:
    """The bound protects memory; who is in may restart."""
    log = CatalogDriver(Limits(registrations=1))
    log.register("a")

    assert log.register("b").code is Code.TOO_MANY_REGISTRATIONS
    assert log.register("a").code is Code.OK


def test_a_full_catalog_refuses_new_names_and_still_takes_known_ones() -> None:
    """Names are bounded on their own: each costs a view."""
    log = CatalogDriver(Limits(services=1))
    log.register("a", name="web")

    assert log.register("b", name="api").code is Code.TOO_MANY_SERVICES
    assert log.register("b", name="web").code is Code.OK


def test_registering_ends_unhealthy_and_draining() -> None:
    """A restarted process is up until it fails again."""
    for status in (Status.UNHEALTHY, Status.DRAINING):
        log = CatalogDriver()
        log.register("a")
        log.set_status("a", status)
        log.register("b")

        instance = log.instance("a")
        assert (instance.status, instance.cause) == (Status.HEALTHY, "registered")


def test_a_second_registration_does_not_hide_a_healthy_address() -> None:
    """Strict start-up is for new instances; this one has proved itself."""
    log = CatalogDriver()
    log.register("a", initial_status=Status.STARTING)
    log.set_status("a", Status.HEALTHY, "check passed")
    log.register("b", initial_status=Status.STARTING)

    instance = log.instance("a")
    assert (instance.status, instance.cause) == (Status.HEALTHY, "check passed")


def test_an_expired_id_keeps_its_name_for_as_long_as_it_can_be_revived() -> None:
    """A short outage must not hand an id, and its heartbeats, to another service."""
    log = CatalogDriver()
    log.register("a", name="web")
    log.expire("a")
    before = log.snapshot()[1:]
    assert log.register("a", name="api").code is Code.SERVICE_ID_TAKEN
    assert log.snapshot()[1:] == before

    log.forget(before=log.position + 1)
    assert log.register("a", name="api").code is Code.OK
    log.deregister("a")
    assert log.renew("a") == (Code.UNKNOWN_SERVICE_ID,)


def test_an_expired_id_registers_again_under_its_own_name() -> None:
    """The usual way back after a long pause; nothing of the former life is left."""
    log = CatalogDriver()
    log.register("a")
    log.expire("a")

    assert log.register("a").code is Code.OK
    assert len(log.machine.state.gone) == 0


def test_a_catalog_full_of_bytes_still_takes_what_does_not_grow() -> None:
    """Numbers alone do not bound memory: a registration may be 64 KiB large."""
    log = CatalogDriver(Limits(bytes=400))
    log.register("a")
    log.register("b")
    before = log.snapshot()[1:]

    assert log.register("c").code is Code.TOO_MANY_BYTES
    assert log.register("a", tags=("x" * 100,)).code is Code.TOO_MANY_BYTES
    assert log.snapshot()[1:] == before
    assert log.register("a").code is Code.OK
    log.deregister("b")
    assert log.register("c").code is Code.OK


def test_a_catalog_beyond_its_bytes_is_kept_up() -> None:
    """After a bound was lowered, whoever is in may still restart."""
    log = CatalogDriver()
    log.register("a")
    log.register("b")
    chunks = log.snapshot()
    log = CatalogDriver(Limits(bytes=200))
    for _ in log.machine.restore(iter(chunks)):
        pass

    assert log.register("a").code is Code.OK
    assert log.register("c").code is Code.TOO_MANY_BYTES


def test_a_heartbeat_is_no_way_around_the_bound_on_bytes() -> None:
    """What expired no longer counts, until it wants to come back."""
    log = CatalogDriver(Limits(bytes=200))
    log.register("a")
    log.expire("a")

    assert log.register("b").code is Code.OK
    assert log.renew("a") == (Code.TOO_MANY_BYTES,)
