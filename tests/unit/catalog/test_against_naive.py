"""Random histories: the machine and a naive second catalog agree (I1, I8)."""

import msgspec
import pytest
from hypothesis import given, settings

from registry.catalog import invariants, outcomes
from registry.catalog.commands import (
    AnyCommand,
    Expire,
    Expiry,
    Forget,
    Key,
    Opinion,
    SetStatus,
    Suspect,
    Undrain,
    needing,
)
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome
from registry.model import Drain, Instance, ServiceId, Status
from tests.support.naive_catalog import NaiveCatalog
from tests.unit.catalog.histories import (
    IDS,
    KEYS,
    LIMITS,
    NAMES,
    Late,
    Old,
    Resume,
    histories,
)

START = 256
Step = AnyCommand | Late | Resume | Old


class Past:
    """The catalog as somebody had seen it after one command."""

    def __init__(self, position: int, machine: CatalogMachine) -> None:
        self.position = position
        self.drains: dict[Key, Drain] = dict(machine.state.drains)
        self.leases = {
            i: (lease.registration.generation, lease.renewed_at)
            for i, lease in machine.state.leases.items()
        }


class Ear:
    """Implements ``Listener``: which instances are said to have changed."""

    def __init__(self) -> None:
        self.heard: list[Key] = []

    def changed(self, keys: list[Key]) -> None:
        """See Listener."""
        self.heard += keys

    def suspected(self, position: int, command: Suspect) -> None:
        """See Listener."""

    def opined(self, position: int, command: Opinion) -> None:
        """See Listener."""


class Pair:
    """A machine and the naive catalog, fed the same log."""

    def __init__(self) -> None:
        self.machine = CatalogMachine(LIMITS)
        self.naive = NaiveCatalog(LIMITS)
        self.position = START
        self._past = [Past(START, self.machine)]

    def step(self, step: Step) -> Outcome:
        """Apply one command to both and compare outcomes, views and indices."""
        command = self._fill_in(step)
        # Several commands to an entry, now and then.
        self.position += 1 if self.position % 3 else 256
        before, shown = list(self.machine.snapshot()), self._shown()
        ear = Ear()
        self.machine.listeners = [ear]
        encoded = msgspec.msgpack.encode(command)
        outcome = outcomes.decode(self.machine.apply(self.position, encoded))
        expected = self.naive.apply(self.position, command)

        assert outcome == expected, command
        if not _took_effect(outcome):
            assert list(self.machine.snapshot()) == before, (
                "a refusal changed something"
            )
        now = self._shown()
        self.machine.applied(self.position >> 8)
        changed = {key for key in KEYS if shown.get(key) != now.get(key)}
        assert changed <= set(ear.heard), "a change that no listener heard of"
        self._past.append(Past(self.position, self.machine))
        self.compare()
        return outcome

    def _shown(self) -> dict[Key, Instance]:
        """Return what is shown, but for the renewals, of which nobody is told."""
        return {
            key: msgspec.structs.replace(instance, last_heartbeat_ms=0)
            for service in self.machine.state.services.values()
            for key, instance in service.shown.items()
        }

    def compare(self) -> None:
        """Compare everything that readers can see."""
        invariants.check(self.machine.state)
        catalog, naive = self.machine.catalog, self.naive
        assert list(catalog.names()) == naive.names()
        for name in NAMES:
            view = catalog.service(name)
            instances = naive.instances(name)
            shown = [] if view is None else list(view.instances)
            healthy = [] if view is None else list(view.healthy)
            assert shown == instances
            assert healthy == [i for i in instances if i.status is Status.HEALTHY]
            assert catalog.service_index(name) == naive.index_of(name)
            assert list(catalog.history(name)) == naive.history(name)
        for service_id in IDS:
            lease = catalog.lease(service_id)
            renewed_at = None if lease is None else lease.renewed_at
            assert renewed_at == naive.renewed_at(service_id)
            assert catalog.registration(service_id) == naive.registration(service_id)
        assert catalog.registrations == naive.count()
        assert catalog.removal_index("none") == naive.last_removal
        assert list(self.machine.state.gone.entries.values()) == naive.gone()
        assert list(self.machine.state.ended.entries.values()) == naive.ended()
        assert catalog.drains() == naive.drains()
        expired = [i for i, e in self.machine.state.leases.items() if e.expired]
        assert set(expired) == set(naive.expired())

    def _fill_in(self, step: Step) -> AnyCommand:
        match step:
            case Late(status=None, at_ms=at_ms):
                items = tuple(Expiry(*s, 300.0) for s in self._seen(step))
                return Expire(schema=1 + step.by_check, items=items, at_ms=at_ms)
            case Late(status=status, at_ms=at_ms, by_check=by_check):
                ((service_id, generation, _),) = self._seen(step)
                assert status is not None
                by_service = step.by_service and not by_check
                says = "reported" if by_service else "turned"
                command = SetStatus(
                    service_id=service_id,
                    generation=generation,
                    status=status,
                    cause=f"{says} {status}, {at_ms % 2}",
                    at_ms=at_ms,
                    by_check=by_check,
                    by_service=by_service,
                )
                return msgspec.structs.replace(command, schema=needing(command))
            case Resume(keys=keys, ago=ago, at_ms=at_ms):
                drain = None if ago is None else self._ago(ago).drains.get(keys[0])
                drained_at = 0 if drain is None else drain.position
                return Undrain(
                    keys=keys, cause="undrained", at_ms=at_ms, drained_at=drained_at
                )
            case Old(ago=ago, at_ms=at_ms):
                return Forget(before=self._ago(ago).position, at_ms=at_ms)
        return step

    def _ago(self, count: int) -> Past:
        return self._past[max(0, len(self._past) - 1 - count)]

    def _seen(self, late: Late) -> list[tuple[ServiceId, int, int]]:
        known = self._ago(late.ago).leases
        return [(i, *known.get(i, (0, 0))) for i in late.service_ids]


def _took_effect(outcome: Outcome) -> bool:
    if outcome.code is not Code.OK:
        return False
    return not outcome.items or not {Code.OK, Code.REVIVED}.isdisjoint(outcome.items)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(histories)
def test_the_machine_agrees_with_the_naive_catalog(history: list[Step]) -> None:
    """Outcomes, views, indices; and a refusal leaves the state untouched (I2)."""
    pair = Pair()
    for step in history:
        pair.step(step)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(histories, histories)
def test_a_snapshot_at_any_point_leads_to_the_same_future(
    past: list[Step], future: list[Step]
) -> None:
    """A replica that was restored is the same as one that saw the whole log (I1)."""
    pair = Pair()
    for step in past:
        pair.step(step)
    original = pair.machine
    chunks = list(original.snapshot())
    pair.machine = CatalogMachine(LIMITS)
    for _ in pair.machine.restore(iter(chunks)):
        pass

    assert list(pair.machine.snapshot()) == chunks
    pair.compare()
    for step in future:
        pair.step(step)
