"""What is remembered of those that are gone, and how it is let go."""

from registry.catalog.bounds import MAX_CAUSE_LENGTH, Limits
from registry.catalog.expiry import FORGOTTEN_AT_ONCE
from registry.catalog.outcomes import Code
from registry.model import ServiceName, Status
from tests.support.catalog_driver import T0_MS, CatalogDriver

ABSENT = (ServiceName("web"), "web-9", 8500)


def cause(log: CatalogDriver, service_id: str) -> str:
    """Return why a registration went; empty if nothing is known of it."""
    gone = log.catalog.gone(service_id)
    return "" if gone is None else gone.cause


def test_who_asks_after_one_that_is_gone_is_told_why() -> None:
    """The first thing that somebody wants to know of a missing instance."""
    log = CatalogDriver(Limits(registrations_per_instance=1))
    log.register("displaced")
    log.register("ended")
    log.deregister("ended", at_ms=T0_MS + 9)
    log.register("expired")
    log.expire("expired")

    assert cause(log, "ended") == "deregistered"
    assert cause(log, "expired") == "lease_expired: no heartbeat for 300 s"
    assert cause(log, "displaced").startswith("displaced: ")
    assert cause(log, "never") == ""
    assert (log.catalog.gone_count, log.catalog.ended_count) == (1, 2)
    gone = log.catalog.gone("ended")
    assert gone is not None
    assert (gone.at_ms, gone.position) == (T0_MS + 9, 3 << 8)


def test_an_expired_one_that_is_deregistered_has_ended() -> None:
    """Its cause is the last word on it, and no heartbeat brings it back."""
    log = CatalogDriver()
    log.register("a")
    log.expire("a")
    log.deregister("a")

    assert cause(log, "a") == "deregistered"
    assert (log.catalog.gone_count, log.catalog.ended_count) == (0, 1)
    assert log.renew("a") == (Code.UNKNOWN_SERVICE_ID,)


def test_one_that_registers_again_is_no_longer_gone() -> None:
    """Whichever way it went."""
    log = CatalogDriver()
    for end in (log.deregister, log.expire):
        log.register("a")
        end("a")
        log.register("a")
        assert log.catalog.gone("a") is None


def test_the_name_of_an_ended_one_is_free_that_of_an_expired_one_is_not() -> None:
    """The one cannot come back."""
    log = CatalogDriver()
    log.register("a")
    log.deregister("a")
    log.register("b", host="web-2")
    log.expire("b")

    assert log.register("a", name="api").code is Code.OK
    assert log.register("b", name="api").code is Code.SERVICE_ID_TAKEN


def test_forget_lets_go_of_what_is_older_only() -> None:
    """The leader says by a position what is old; no wall time decides."""
    log = CatalogDriver()
    for number, service_id in enumerate("abc"):
        log.register(service_id, host=f"web-{number}", at_ms=T0_MS - 10**9)
    log.expire("a")
    log.deregister("b")
    log.expire("c")
    last = log.position

    assert log.forget(before=last) == 1
    assert [cause(log, i) != "" for i in "abc"] == [False, False, True]
    assert log.catalog.oldest_gone() == last
    assert log.forget(before=last + 1) == 1
    assert log.catalog.oldest_gone() == 0


def test_forget_ends_drains_of_what_is_absent() -> None:
    """They would stay for ever; over what is there they do."""
    log = CatalogDriver()
    log.register("a")
    log.register("b", host=ABSENT[1])
    log.drain()
    log.drain(ABSENT)
    assert log.catalog.oldest_gone() == 0
    log.deregister("b")
    left_at = log.position
    assert log.catalog.oldest_gone() == left_at

    assert log.forget(before=log.position + 1) == 1
    assert [key for key, _ in log.catalog.drains()] == [("web", "web-1", 8500)]
    assert log.catalog.oldest_gone() == 0


def test_a_drain_outlives_a_restart_of_its_service_however_old_it_is() -> None:
    """It is kept for a day from when its instance went, not from when it was laid."""
    log = CatalogDriver()
    log.register("a")
    log.drain()
    log.renew("a")
    day_ago = log.position
    log.deregister("a")

    assert log.forget(before=day_ago) == 0
    log.register("a")
    assert log.instance("a").status is Status.DRAINING
    log.deregister("a")
    again_at = log.position
    assert log.forget(before=again_at) == 0
    assert log.forget(before=again_at + 1) == 1


def test_a_drain_laid_anew_over_nothing_counts_from_then() -> None:
    """Somebody wanted it just now."""
    log = CatalogDriver()
    log.register("a")
    log.drain()
    log.deregister("a")
    log.drain()
    again_at = log.position

    assert log.forget(before=again_at) == 0
    assert log.catalog.oldest_gone() == again_at
    assert log.forget(before=again_at + 1) == 1


def test_the_oldest_is_that_which_left_first_not_which_was_drained_first() -> None:
    """Or the keeper would think that there is nothing to forget."""
    log = CatalogDriver()
    log.register("a")
    log.register("b", host=ABSENT[1])
    log.drain()
    log.drain(ABSENT)
    log.deregister("b")
    left_at = log.position
    log.deregister("a")

    assert log.catalog.oldest_gone() == left_at


def test_forget_does_a_bounded_number_at_once() -> None:
    """A day's worth at once would hold up the event loop."""
    log = CatalogDriver()
    for number in range(FORGOTTEN_AT_ONCE + 5):
        log.register(f"id-{number}")
        log.expire(f"id-{number}")

    assert log.forget(before=log.position) == FORGOTTEN_AT_ONCE
    assert log.catalog.gone_count == 5
    assert log.forget(before=log.position) == 5


def test_the_ended_are_bounded_in_number_and_bytes() -> None:
    """Ids are free, so their memory must not be; those that may revive stay apart."""
    log = CatalogDriver(Limits(ended=3, ended_bytes=500))
    log.register("kept")
    log.expire("kept")
    for service_id in "abcd":
        log.register(service_id)
        log.deregister(service_id)
    ended = log.machine.state.ended

    assert list(ended.entries) == ["c", "d"]
    assert ended.size_bytes <= 500
    assert log.renew("kept") == (Code.REVIVED,)


def test_the_longest_causes_fit() -> None:
    """Names are long at worst, causes are bounded."""
    log = CatalogDriver()
    log.register("a", host="h" * 253)
    log.register("b", name="n" * 255, host="h" * 253, exclusive=True)

    assert len(cause(log, "a")) == MAX_CAUSE_LENGTH
