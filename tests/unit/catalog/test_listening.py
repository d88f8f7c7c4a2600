"""Listeners: who follows the catalog is told of every change as it is applied."""

import msgspec

from registry.catalog.commands import (
    Key,
    Opinion,
    Register,
    Suspect,
    Suspicion,
    Verdict,
)
from registry.catalog.outcomes import Code
from registry.model import ServiceId, ServiceName, Status
from tests.support.catalog_driver import CHECK, KEY, T0_MS, CatalogDriver

ELSEWHERE = (ServiceName("web"), "web-2", 8500)


class Ear:
    """Implements ``Listener``: keeps what it hears."""

    def __init__(self, log: CatalogDriver) -> None:
        self.changes: list[list[Key]] = []
        self.talk: list[tuple[int, Suspect | Opinion]] = []
        log.machine.listeners.append(self)

    def changed(self, keys: list[Key]) -> None:
        """See Listener."""
        self.changes.append(keys)

    def suspected(self, position: int, command: Suspect) -> None:
        """See Listener."""
        self.talk.append((position, command))

    def opined(self, position: int, command: Opinion) -> None:
        """See Listener."""
        self.talk.append((position, command))

    def keys(self) -> list[Key]:
        """Return which instances changed since it was asked last."""
        keys = [key for keys in self.changes for key in keys]
        self.changes.clear()
        return keys


def test_every_change_of_an_instance_is_told() -> None:
    """Also a new generation, an expiry that keeps, and what a drain hides."""
    log = CatalogDriver()
    ear = Ear(log)
    log.register("a", check=CHECK)
    assert ear.changes == [[KEY]]
    ear.keys()

    for change in (
        lambda: log.register("a", check=CHECK),
        lambda: log.expire("a"),
        lambda: log.renew("a"),
        log.drain,
        lambda: log.set_status("a", Status.UNHEALTHY),
        log.undrain,
        lambda: log.deregister("a"),
    ):
        change()
        assert ear.keys() == [KEY]


def test_what_one_entry_changes_is_told_at_once_when_it_is_applied() -> None:
    """Not with each command: an entry may hold hundreds."""
    log = CatalogDriver()
    ear = Ear(log)
    for place, port in enumerate((8500, 8501, 8500)):
        service_id = ServiceId(f"{place}")
        command = Register(
            service_id=service_id,
            name=KEY[0],
            host=KEY[1],
            port=port,
            at_ms=T0_MS,
            ttl_seconds=300.0,
        )
        log.machine.apply((1 << 8) + place, msgspec.msgpack.encode(command))
    assert ear.changes == []
    log.machine.applied(1)
    log.machine.applied(2)

    other = (KEY[0], KEY[1], 8501)
    assert ear.changes == [[KEY, other, KEY]]


def test_a_move_changes_two_instances() -> None:
    """The one that it goes to, and the one that it leaves."""
    log = CatalogDriver()
    log.register("a")
    ear = Ear(log)
    log.register("a", host="web-2")

    assert sorted(ear.keys()) == [KEY, ELSEWHERE]


def test_renewals_and_refusals_are_not_told() -> None:
    """The one would be thousands a second, the other changed nothing."""
    log = CatalogDriver()
    log.register("a")
    ear = Ear(log)
    log.renew("a")
    log.set_status("a", Status.HEALTHY)
    log.register("a", name="api")
    log.undrain()

    assert ear.keys() == []


def test_drains_of_absent_instances_are_told() -> None:
    """Their time limits run, too."""
    log = CatalogDriver()
    log.register("a")
    log.drain()
    log.deregister("a")
    ear = Ear(log)
    log.drain()
    assert ear.keys() == [KEY]
    log.forget(before=log.position + 1)
    assert ear.keys() == [KEY]


def test_suspicions_and_opinions_are_passed_on_and_change_nothing() -> None:
    """The log is how replicas ask each other."""
    log = CatalogDriver()
    log.register("a", check=CHECK)
    ear, before = Ear(log), log.snapshot()[1:]
    a, generation = ServiceId("a"), log.generation("a")
    suspect = Suspect(items=(Suspicion(a, generation),), replica="r1", at_ms=T0_MS)
    assert log.apply(suspect).code is Code.OK
    verdict = Verdict(a, generation, passed=True, cause="")
    opinion = Opinion(items=(verdict,), replica="r2", suspect=512, at_ms=T0_MS)
    assert log.apply(opinion).code is Code.OK

    assert ear.talk == [(512, suspect), (768, opinion)]
    assert ear.changes == []
    assert log.snapshot()[1:] == before


def test_a_restored_machine_goes_on_telling() -> None:
    """The listeners belong to the machine, not to the state that was replaced."""
    log = CatalogDriver()
    log.register("a")
    ear = Ear(log)
    for _ in log.machine.restore(iter(log.snapshot())):
        pass
    log.deregister("a")

    assert ear.keys() == [KEY]
