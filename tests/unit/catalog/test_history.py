"""The history: what a reader saw change, why, and how much of it is kept."""

from registry.catalog.bounds import Limits
from registry.catalog.history import MOST_LOOKS, History
from registry.model import ServiceId, ServiceName, Status, Transition
from tests.support.catalog_driver import CHECK, T0_MS, CatalogDriver

Line = tuple[str, str, str]


def lines(log: CatalogDriver, name: str = "web") -> list[Line]:
    """Return each transition's before, after and cause."""
    return [(t.before, t.after, t.cause) for t in log.catalog.history(name)]


def test_a_life_from_beginning_to_end() -> None:
    """With its causes; it survives the service, so that its absence has one too."""
    log = CatalogDriver()
    log.register("a", check=CHECK, initial_status=Status.STARTING)
    log.checked("a", Status.HEALTHY, "check_passed")
    log.checked("a", Status.UNHEALTHY, "check_failed: 503 (3 of 3)")
    log.checked("a", Status.UNHEALTHY, "check_failed: connect refused (3 of 3)")
    log.deregister("a")

    assert log.catalog.service("web") is None
    assert lines(log) == [
        ("", "starting", "registered"),
        ("starting", "healthy", "check_passed"),
        ("healthy", "unhealthy", "check_failed: 503 (3 of 3)"),
        ("unhealthy", "unhealthy", "check_failed: connect refused (3 of 3)"),
        ("unhealthy", "", "deregistered"),
    ]


def test_a_transition_says_when_and_of_whom() -> None:
    """The registration that is named is the newest, or the one that went last."""
    log = CatalogDriver()
    log.register("a")
    log.register("b", at_ms=T0_MS + 1)
    log.set_status("a", Status.UNHEALTHY)
    log.deregister("b")
    log.deregister("a", at_ms=T0_MS + 4)

    of = [(t.service_id, t.position >> 8) for t in log.catalog.history("web")]
    assert of == [("a", 1), ("b", 3), ("a", 5)]
    assert log.catalog.history("web")[-1] == Transition(
        log.position,
        T0_MS + 4,
        log.catalog.history("web")[0].service_id,
        "web-1",
        8500,
        "unhealthy",
        "",
        "deregistered",
    )


def test_what_changes_nothing_for_readers_is_no_transition() -> None:
    """Renewals, repetitions, and whatever happens below a drain."""
    log = CatalogDriver()
    log.register("a")
    log.drain()
    before = lines(log)
    log.register("a")
    log.register("b")
    log.renew("a", "b")
    log.set_status("a", Status.UNHEALTHY)
    log.deregister("b")
    log.drain()

    assert lines(log) == before
    assert before[-1] == ("healthy", "draining", "drained: upgrade")


def test_drains_are_in_it_with_their_reasons() -> None:
    """And their ends with what ended them."""
    log = CatalogDriver()
    log.register("a")
    log.drain(reason="upgrade")
    log.drain(reason="longer")
    log.undrain(cause="drained: time limit reached")

    assert lines(log)[1:] == [
        ("healthy", "draining", "drained: upgrade"),
        ("draining", "draining", "drained: longer"),
        ("draining", "healthy", "drained: time limit reached"),
    ]


def test_one_that_registers_elsewhere_appears_there_and_vanishes_here() -> None:
    """In this order: the service was never empty."""
    log = CatalogDriver()
    log.register("a", host="web-1")
    log.register("a", host="web-2")

    assert [(t.host, t.before, t.after) for t in log.catalog.history("web")] == [
        ("web-1", "", "healthy"),
        ("web-2", "", "healthy"),
        ("web-1", "healthy", ""),
    ]


def test_each_service_keeps_its_last_ones() -> None:
    """One that flaps does not push out what happened to others."""
    log = CatalogDriver(Limits(history_of_service=3))
    log.register("b", name="api")
    for _ in range(3):
        log.register("a")
        log.deregister("a")

    assert lines(log, "api") == [("", "healthy", "registered")]
    assert [after for _, after, _ in lines(log)] == ["", "healthy", ""]


def test_all_together_are_bounded_the_oldest_go() -> None:
    """A service whose last transition goes is no longer known at all."""
    log = CatalogDriver(Limits(history=3))
    log.register("b", name="api")
    log.register("c", name="db")
    log.register("a")
    log.deregister("a")

    assert lines(log, "api") == []
    assert log.catalog.historic_names() == ("db", "web")
    assert len(lines(log, "db")) + len(lines(log)) == 3


class Counting(dict[int, tuple[ServiceName, Transition]]):
    """Entries that count how often a number was looked for."""

    looks = 0

    def __contains__(self, number: object) -> bool:
        """Count."""
        self.looks += 1
        return super().__contains__(number)


def test_the_oldest_is_found_soon_however_many_went_before_it() -> None:
    """Services that flap let go of millions before all together are too many."""
    history = History(most=40, most_of_service=3)
    history.entries = entries = Counting()
    busy, names = ServiceName("busy"), [ServiceName(f"s-{n}") for n in range(40)]
    transition = Transition(1, T0_MS, ServiceId("a"), "10.0.0.1", 80, "", "healthy", "")
    for _ in range(1_000):
        history.add(busy, transition)
    for name in names:
        history.add(name, transition)

    assert entries.looks < 2 * MOST_LOOKS
    assert history.names() == tuple(names)
    assert len(history) == 40
