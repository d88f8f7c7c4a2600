"""Shown 1, I4: our faults throw nobody out who lives, and lengthen no lease much."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.e2e.conftest import Tell
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_duties import (
    Heartbeats,
    Watch,
    cause,
    changes,
    findings,
    heartbeat,
    history,
    listed,
    register,
    wait_listed,
)
from tests.support.process_replica import ReplicaProcess
from tests.support.small_service import LOOPBACK, SmallServices
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TTL_S = 1.5
SETTINGS = {
    "HEALTH_CHECK_INTERVAL": "0.5",
    "HEALTH_CHECK_TIMEOUT": "0.4",
    "HEALTH_CHECK_FAILURES": "2",
    "SERVICE_TTL": f"{TTL_S:g}",
}


@dataclass(frozen=True, slots=True)
class Living:
    """Ids of those that live: by heartbeats, and by their checks alone."""

    beating: set[str]
    checked: set[str]


@contextmanager
def living(urls: list[str]) -> Iterator[Living]:
    """Run five small services, register them and five that beat, all over the urls."""
    with SmallServices(*[LOOPBACK] * 5) as services:
        checked = {
            register(
                urls[at % len(urls)],
                "checked",
                one.host,
                one.port,
                health_endpoint="/health",
            )
            for at, one in enumerate(services.services)
        }
        beating = {register(urls[0], "beating", f"10.0.0.{n}", 80) for n in range(5)}
        with Heartbeats(urls, beating, every_s=TTL_S / 5) as beats:
            yield Living(beating, checked)
        assert beats.refused == []


def assert_untouched(cluster: ProcessCluster, lived: Living) -> None:
    """Check that every replica lists all of them, and that nothing befell any."""
    cluster.wait_ready()
    cluster.wait_caught_up()
    for replica in cluster:
        url = replica.url
        assert listed(url, "beating") == lived.beating
        assert listed(url, "checked") == lived.checked
        for name in ("beating", "checked"):
            assert {line["cause"] for line in history(url, name)} == {"registered"}


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[ProcessCluster]:
    """Run three replicas."""
    with process_cluster(tmp_path, settings=lambda _: SETTINGS) as running:
        yield running


def test_a_leader_paused_for_two_leases_evicts_nobody(replicas: ProcessCluster) -> None:
    """It wakes up with every lease run out by its clock, and thinks that it leads."""
    paused = replicas.leader()
    survivors = replicas.others(paused)
    urls = [replica.url for replica in survivors]
    with living(urls) as lived:
        wait_listed(urls, "checked", lived.checked)
        wait_listed(urls, "beating", lived.beating)
        replicas.wait_caught_up()
        names = {"beating": lived.beating, "checked": lived.checked}
        with Watch(replicas, names) as watch:
            paused.send(signal.SIGSTOP)
            try:
                time.sleep(2 * TTL_S)
            finally:
                paused.send(signal.SIGCONT)
            wait_until(lambda: paused.is_ready, "the paused one's return")
            looks = watch.looks
            wait_until(lambda: watch.looks > looks + 10, "more looks at the lists")

        assert watch.missing_s == {}
        assert_untouched(replicas, lived)


def test_a_whole_cluster_paused_for_two_leases_evicts_nobody(
    replicas: ProcessCluster,
) -> None:
    """A machine that slept: the services slept as well, and beat as they wake up."""
    urls = replicas.urls
    ids = {register(urls[0], "slept", f"10.0.0.{n}", 80) for n in range(3)}
    wait_listed(urls, "slept", ids)
    for replica in replicas:
        replica.send(signal.SIGSTOP)
    try:
        time.sleep(2 * TTL_S)
    finally:
        for replica in replicas:
            replica.send(signal.SIGCONT)
    with Heartbeats(urls, ids, every_s=TTL_S / 5) as beats:
        replicas.wait_ready()
        time.sleep(TTL_S)

    assert beats.refused == []
    replicas.wait_caught_up()
    for url in urls:
        assert {line["cause"] for line in history(url, "slept")} == {"registered"}


def leaderless_s(survivors: list[ReplicaProcess], killed: ReplicaProcess) -> float:
    """Wait until all survivors follow another leader; return how long it took."""
    killed_s = time.monotonic()
    wait_until(
        lambda: all(
            r.state().get("leader") not in (None, "", killed.node_id) for r in survivors
        ),
        "another leader",
    )
    return time.monotonic() - killed_s


def test_a_leader_killed_amid_a_lease_ends_it_neither_early_nor_late(
    replicas: ProcessCluster, tell: Tell
) -> None:
    """The next one counts from its own stamps, plus the time without a leader."""
    killed = replicas.leader()
    survivors = replicas.others(killed)
    urls = [replica.url for replica in survivors]
    with living(urls) as lived:
        dying = register(urls[0], "dying", "10.0.9.9", 80)
        wait_listed(urls, "dying", {dying})
        with Watch(survivors, {"dying": {dying}, "checked": lived.checked}) as watch:
            sent_s = time.monotonic()
            assert heartbeat(urls[0], dying).status == 200
            answered_s = time.monotonic()
            time.sleep(TTL_S / 2)
            killed.kill()
            without_s = leaderless_s(survivors, killed)
            wait_until(lambda: len(watch.missing(dying)) == 2, "its expiry")
        killed.start()
        assert_untouched(replicas, lived)

    first_s, last_s = sorted(watch.missing(dying).values())
    late_s = last_s - answered_s - TTL_S
    tell(f"leaderless for {without_s:.2f} s, the expiry was {late_s:.2f} s late")
    assert first_s - sent_s >= TTL_S
    assert late_s <= without_s + 1.0
    assert {service_id for _, service_id in watch.missing_s} == {dying}


DENIED = {"a": "127.0.0.2", "b": "127.0.0.3", "c": "127.0.0.4"}
"""Each replica's way to one loopback address is barred: by a rule, without root."""


def test_a_leader_that_alone_cannot_reach_services_takes_none_for_dead(
    tmp_path: Path,
) -> None:
    """The others are asked, their answers count, and `why` names who cannot reach it.

    Whoever leads has such services; for the next leader they are others.
    """
    with (
        SmallServices(*DENIED.values()) as services,
        process_cluster(
            tmp_path,
            settings=lambda node_id: {
                **SETTINGS,
                "HEALTH_CHECK_DENY": f"{DENIED[node_id]}/32",
            },
        ) as cluster,
    ):
        leader = cluster.leader()
        ids = {}
        for service, node_id in zip(services.services, "abc", strict=True):
            other = next(r for r in cluster if r.node_id != node_id)
            ids[node_id] = register(
                other.url, "far", service.host, service.port, health_endpoint="/health"
            )
        wait_listed(cluster.urls, "far", set(ids.values()))
        far = ids[leader.node_id]
        words = f"unreachable from {leader.node_id} only"
        with Watch(cluster, {"far": set(ids.values())}) as watch:
            wait_until(
                lambda: cause(leader.url, far).startswith(words), "its new cause"
            )
            time.sleep(2 * TTL_S)

        cluster.wait_caught_up()
        assert watch.missing_s == {}
        for replica in cluster:
            assert cause(replica.url, far).startswith(words)
            sentences = findings(replica.url, far)
            assert any(words in sentence for sentence in sentences), sentences
            assert len(changes(replica.url, "far", far)) == 2

        survivors = cluster.others(leader)
        with Watch(survivors, {"far": set(ids.values())}) as watch:
            leader.kill()
            following = cluster.leader()
            words = f"unreachable from {following.node_id} only"
            wait_until(
                lambda: cause(following.url, far) == "check_passed", "a passed check"
            )
            wait_until(
                lambda: cause(following.url, ids[following.node_id]).startswith(words),
                "the cause of what the new leader cannot reach",
            )
        assert watch.missing_s == {}


def take_away(leader: ReplicaProcess, fault: str) -> None:
    """Kill, stop or pause a leader; return when it runs again."""
    if fault == "pause":
        leader.send(signal.SIGSTOP)
        time.sleep(2 * TTL_S)
        leader.send(signal.SIGCONT)
        return
    if fault == "stop":
        leader.send(signal.SIGTERM)
        leader.wait()
    else:
        leader.kill()
    time.sleep(TTL_S / 2)
    leader.start()


@pytest.mark.soak
def test_thirty_leaders_lost_in_a_row_evict_nobody(
    replicas: ProcessCluster, tell: Tell
) -> None:
    """I4, again and again: services that beat anywhere, and those that never do."""
    seed = time.time_ns()
    tell(f"seed {seed}")
    random = Random(seed)
    with living(replicas.urls) as lived:
        wait_listed(replicas.urls, "checked", lived.checked)
        wait_listed(replicas.urls, "beating", lived.beating)
        names = {"beating": lived.beating, "checked": lived.checked}
        with Watch(replicas, names) as watch:
            for _ in range(30):
                take_away(replicas.leader(), random.choice(("pause", "stop", "kill")))
                replicas.wait_ready()
        assert watch.missing_s == {}
        assert_untouched(replicas, lived)
