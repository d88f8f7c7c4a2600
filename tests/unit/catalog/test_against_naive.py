"""Random histories: the machine and a naive second catalog agree (I1, I8).

Names, ids and addresses are few and limits are low, so that registrations meet, move,
are evicted, expire and come back all the time.
"""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.catalog import invariants, outcomes
from registry.catalog.bounds import Limits
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Expire,
    Expiry,
    Register,
    Renew,
    SetStatus,
)
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome
from registry.model import MetadataValue, ServiceId, ServiceName, Status
from tests.support.naive_catalog import NaiveCatalog

LIMITS = Limits(
    registrations=4,
    registrations_per_instance=2,
    services=2,
    bytes=640,
    gone=3,
    gone_bytes=400,
    gone_for_ms=10,
    kept_gone=1,
)
IDS = [ServiceId(f"id-{n}") for n in range(6)]
NAMES = [ServiceName(name) for name in ("web", "api", "db")]
START = 256

ids = st.sampled_from(IDS)
times = st.integers(min_value=0, max_value=30)
statuses = st.sampled_from(list(Status))
metadata = st.dictionaries(
    st.sampled_from(["version", "region"]),
    st.sampled_from([True, 1, 1.5, "x"]),
    max_size=2,
)


class Late(msgspec.Struct, frozen=True):
    """A command about registrations as they were ``ago`` commands before."""

    service_ids: tuple[ServiceId, ...]
    ago: int
    status: Status | None
    at_ms: int


def _register(
    service_id: ServiceId,
    name: ServiceName,
    host: str,
    at_ms: int,
    status: Status,
    data: dict[str, MetadataValue],
) -> Register:
    return Register(
        service_id=service_id,
        name=name,
        host=host,
        port=8500,
        at_ms=at_ms,
        ttl_seconds=300.0,
        metadata=data,
        initial_status=status,
    )


registers = st.builds(
    _register,
    ids,
    st.sampled_from(NAMES),
    st.sampled_from(["h1", "h2"]),
    times,
    st.sampled_from([Status.HEALTHY, Status.HEALTHY, Status.STARTING]),
    metadata,
)
id_tuples = st.lists(ids, min_size=1, max_size=4).map(tuple)
ages = st.sampled_from([0, 0, 0, 0, 1, 3])
steps = st.one_of(
    registers,
    registers,
    registers,
    st.builds(Deregister, service_id=ids, at_ms=times),
    st.builds(Renew, service_ids=id_tuples, at_ms=times),
    st.builds(Late, id_tuples, ages, st.none(), times),
    st.builds(Late, ids.map(lambda i: (i,)), ages, statuses, times),
)
# Hypothesis prefers short lists, and little happens in those.
histories = st.lists(steps, min_size=30, max_size=60)

Known = dict[ServiceId, tuple[int, int]]


class Pair:
    """A machine and the naive catalog, fed the same log."""

    def __init__(self) -> None:
        self.machine = CatalogMachine(LIMITS)
        self.naive = NaiveCatalog(LIMITS)
        self.position = START
        self._past: list[Known] = [{}]

    def step(self, step: AnyCommand | Late) -> Outcome:
        """Apply one command to both and compare outcomes, views and indices."""
        command = self._fill_in(step) if isinstance(step, Late) else step
        # Several commands to an entry, now and then.
        self.position += 1 if self.position % 3 else 256
        before = list(self.machine.snapshot())
        encoded = msgspec.msgpack.encode(command)
        outcome = outcomes.decode(self.machine.apply(self.position, encoded))
        expected = self.naive.apply(self.position, command)

        assert outcome == expected, command
        if not _took_effect(outcome):
            assert list(self.machine.snapshot()) == before, (
                "a refusal changed something"
            )
        self.machine.applied(self.position >> 8)
        self._past.append(self._known())
        self.compare()
        return outcome

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
        for service_id in IDS:
            lease = catalog.lease(service_id)
            renewed_at = None if lease is None else lease.renewed_at
            assert renewed_at == naive.renewed_at(service_id)
            assert catalog.registration(service_id) == naive.registration(service_id)
        assert catalog.registrations == naive.count()
        assert catalog.removal_index("none") == naive.last_removal

    def _known(self) -> Known:
        leases = self.machine.state.leases
        return {
            i: (lease.registration.generation, lease.renewed_at)
            for i, lease in leases.items()
        }

    def _fill_in(self, late: Late) -> AnyCommand:
        known = self._past[max(0, len(self._past) - 1 - late.ago)]
        seen = [(i, *known.get(i, (0, 0))) for i in late.service_ids]
        if late.status is None:
            return Expire(items=tuple(Expiry(*s) for s in seen), at_ms=late.at_ms)
        ((service_id, generation, _),) = seen
        return SetStatus(
            service_id=service_id,
            generation=generation,
            status=late.status,
            cause=f"turned {late.status}",
            at_ms=late.at_ms,
        )


def _took_effect(outcome: Outcome) -> bool:
    if outcome.code is not Code.OK:
        return False
    return not outcome.items or not {Code.OK, Code.REVIVED}.isdisjoint(outcome.items)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(histories)
def test_the_machine_agrees_with_the_naive_catalog(history: list[AnyCommand]) -> None:
    """Outcomes, views, indices; and a refusal leaves the state untouched (I2)."""
    pair = Pair()
    for step in history:
        pair.step(step)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(histories, histories)
def test_a_snapshot_at_any_point_leads_to_the_same_future(
    past: list[AnyCommand], future: list[AnyCommand]
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
