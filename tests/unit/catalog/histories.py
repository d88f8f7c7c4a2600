"""Random commands for the catalog: few names, ids and addresses, and low limits.

So that registrations meet, move, are evicted, expire and come back all the time.
"""

import msgspec
from hypothesis import strategies as st

from registry.catalog.bounds import Limits
from registry.catalog.commands import (
    Deregister,
    Drain,
    Register,
    Renew,
    Suspect,
    needing,
)
from registry.model import Check, MetadataValue, ServiceId, ServiceName, Status

LIMITS = Limits(
    registrations=4,
    registrations_per_instance=2,
    services=2,
    bytes=860,
    gone=3,
    gone_bytes=600,
    ended=3,
    ended_bytes=600,
    cleared=2,
    drains=2,
    history=20,
    history_of_service=8,
)
IDS = [ServiceId(f"id-{n}") for n in range(6)]
NAMES = [ServiceName(name) for name in ("web", "api", "db")]
HOSTS = ("h1", "h2", "H2")
"""The last two are one host."""
KEYS = [(name, host, 8500) for name in NAMES for host in HOSTS]


class Late(msgspec.Struct, frozen=True):
    """About registrations as they were ``ago`` commands before: an Expire, or, with
    a status, a SetStatus.
    """

    service_ids: tuple[ServiceId, ...]
    ago: int
    status: Status | None
    at_ms: int
    by_check: bool
    """Of the SetStatus; of the Expire: that it is of schema 2."""
    by_service: bool
    """Of the SetStatus, if it is not by a check."""


class Resume(msgspec.Struct, frozen=True):
    """An Undrain of drains as they were ``ago`` commands before; None: of any."""

    keys: tuple[tuple[ServiceName, str, int], ...]
    ago: int | None
    at_ms: int


class Old(msgspec.Struct, frozen=True):
    """A Forget of what went more than ``ago`` commands before."""

    ago: int
    at_ms: int


def _register(
    service_id: ServiceId,
    address: tuple[ServiceName, str],
    at_ms: int,
    status: Status,
    data: dict[str, MetadataValue],
    check: Check | None,
    endpoint: str,
    exclusive: bool,
    schema: int,
) -> Register:
    name, host = address
    command = Register(
        service_id=service_id,
        name=name,
        host=host,
        port=8500,
        at_ms=at_ms,
        ttl_seconds=300.0,
        metadata=data,
        initial_status=status,
        check=check,
        health_endpoint=endpoint,
        exclusive=exclusive,
        schema=schema,
    )
    # A former version wrote a status with schema 1, too.
    is_new = check is not None or exclusive
    return msgspec.structs.replace(command, schema=2 if is_new else schema)


def _renew(ids: tuple[ServiceId, ...], at_ms: int, by_check: bool) -> Renew:
    command = Renew(service_ids=ids, at_ms=at_ms, by_check=by_check)
    return msgspec.structs.replace(command, schema=needing(command))


ids = st.sampled_from(IDS)
times = st.integers(min_value=0, max_value=30)
registers = st.builds(
    _register,
    ids,
    st.tuples(st.sampled_from(NAMES), st.sampled_from(HOSTS)),
    times,
    st.sampled_from([Status.HEALTHY, Status.HEALTHY, Status.STARTING]),
    st.dictionaries(
        st.sampled_from(["version", "region"]),
        st.sampled_from([True, 1, 1.5, "x"]),
        max_size=2,
    ),
    st.sampled_from([None, None, Check(path="/health")]),
    st.sampled_from(["", "", "/health"]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([1, 2]),
)
id_tuples = st.lists(ids, min_size=1, max_size=4).map(tuple)
key_tuples = st.lists(st.sampled_from(KEYS), min_size=1, max_size=2).map(tuple)
ages = st.sampled_from([0, 0, 0, 0, 1, 3])
rarely = st.sampled_from([False, False, True])
renewals = st.builds(_renew, id_tuples, times, rarely)
reports = st.builds(
    Late,
    ids.map(lambda i: (i,)),
    ages,
    st.sampled_from([Status.HEALTHY, Status.HEALTHY, Status.UNHEALTHY, *Status]),
    times,
    st.booleans(),
    st.booleans(),
)
expiries = st.builds(
    Late,
    id_tuples,
    ages,
    st.none(),
    times,
    rarely.map(lambda r: not r),
    st.just(False),
)
drains = st.builds(
    Drain, keys=key_tuples, reason=st.sampled_from(["", "upgrade"]), at_ms=times
)
resumes = st.builds(Resume, key_tuples, st.sampled_from([None, None, 0, 3]), times)
others = st.one_of(
    st.builds(Deregister, service_id=ids, at_ms=times),
    st.builds(Old, st.sampled_from([0, 5, 15]), times),
    st.builds(Suspect, items=st.just(()), replica=st.just("a"), at_ms=times),
)
# ``one_of`` would take each but once.
weights = {registers: 6, expiries: 3, reports: 3, renewals: 3, drains: 1, resumes: 1}
steps = st.sampled_from(
    [others, *[kind for kind, weight in weights.items() for _ in range(weight)]]
).flatmap(lambda kind: kind)
# Hypothesis prefers short lists, and little happens in those.
histories = st.lists(steps, min_size=30, max_size=60)
