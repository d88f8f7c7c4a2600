"""Shown 1: what is gone leaves every replica's list soon, and each of them says why."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.conftest import Tell
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_duties import (
    Heartbeats,
    Watch,
    changes,
    heartbeat,
    history,
    listed,
    register,
    told,
    wait_listed,
)
from tests.support.process_http import ask
from tests.support.small_service import LOOPBACK, SmallServices
from tests.support.small_service_process import SmallServiceProcess
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

INTERVAL_S = 1.0
TTL_S = 1.5
SLACK_S = 0.5
"""Requests, polls and a shared machine on top of a lease that ran out."""
SETTINGS = {
    "HEALTH_CHECK_INTERVAL": f"{INTERVAL_S:g}",
    "HEALTH_CHECK_TIMEOUT": "0.5",
    "HEALTH_CHECK_FAILURES": "3",
    "SERVICE_TTL": f"{TTL_S:g}",
}


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessCluster]:
    """Run three replicas for all tests here: each uses service names of its own."""
    folder = tmp_path_factory.mktemp("leaving")
    with process_cluster(folder, settings=lambda _: SETTINGS) as running:
        yield running


@pytest.fixture
def tellers(replicas: ProcessCluster) -> list[str]:
    """Return where the replicas answer, the leader last."""
    leader = replicas.leader()
    return [replica.url for replica in [*replicas.others(leader), leader]]


def is_holding(url: str) -> bool:
    """Whether a replica says that it holds evictions back."""
    degraded = ask(url, "/health").json.get("degraded", [])
    assert isinstance(degraded, list)
    return "evictions_held" in degraded


def test_a_killed_service_leaves_and_the_other_nine_stay(
    replicas: ProcessCluster, tellers: list[str], tell: Tell
) -> None:
    """Within an interval and 3 s, out of every list, with the cause everywhere."""
    with ExitStack() as stack:
        services = stack.enter_context(SmallServices(*[LOOPBACK] * 9))
        doomed = stack.enter_context(SmallServiceProcess())
        # Leases that outlast the test: it is the check that must find out.
        checked = {"health_endpoint": "/health", "ttl_seconds": 60}
        ids = {
            register(tellers[at % 3], "ten", one.host, one.port, **checked)
            for at, one in enumerate(services.services)
        }
        lost = register(tellers[0], "ten", doomed.host, doomed.port, **checked)
        wait_listed(tellers, "ten", ids | {lost})
        # So that it is at the pace of those that were there for long.
        wait_until(lambda: services[8].probes >= 2, "two rounds of checks")
        watch = stack.enter_context(Watch(replicas, {"ten": ids | {lost}}))
        killed_s = time.monotonic()
        doomed.kill()
        wait_until(lambda: len(watch.missing(lost)) == 3, "its leaving")
        late_s = max(watch.missing(lost).values()) - killed_s

    replicas.wait_caught_up()
    tell(f"a killed service was out of all three lists after {late_s:.2f} s")
    assert late_s <= INTERVAL_S + 3.0
    assert {service_id for _, service_id in watch.missing_s} == {lost}
    for url in tellers:
        of_it = told(url, lost)
        assert of_it["status"] == "unhealthy"
        assert of_it["cause"] == "check_failed: connect refused (3 of 3)"
        assert changes(url, "ten", lost) == [
            ("", "healthy", "registered"),
            ("healthy", "unhealthy", "check_failed: connect refused (3 of 3)"),
        ]
    assert history(tellers[0], "ten") == history(tellers[2], "ten")


def test_one_without_a_check_leaves_at_its_ttl(
    replicas: ProcessCluster, tellers: list[str], tell: Tell
) -> None:
    """Not before it, and those that go on with their heartbeats stay."""
    leaving = register(tellers[0], "quiet", "10.0.0.1", 80)
    staying = {register(tellers[1], "quiet", f"10.0.1.{n}", 80) for n in range(4)}
    wait_listed(tellers, "quiet", staying | {leaving})
    with (
        Heartbeats(tellers, staying, every_s=TTL_S / 4) as beats,
        Watch(replicas, {"quiet": staying | {leaving}}) as watch,
    ):
        sent_s = time.monotonic()
        assert heartbeat(tellers[1], leaving).status == 200
        answered_s = time.monotonic()
        wait_until(lambda: len(watch.missing(leaving)) == 3, "its leaving")
        first_s, *_, last_s = sorted(watch.missing(leaving).values())
    assert beats.refused == []
    for service_id in staying:  # All at once, they would be held back below.
        ask(tellers[0], f"/deregister/{service_id}", method="DELETE")

    replicas.wait_caught_up()
    tell(f"a lease of {TTL_S:g} s ended after {last_s - answered_s:.2f} s")
    assert first_s - sent_s >= TTL_S
    assert last_s - answered_s <= TTL_S + SLACK_S
    assert {service_id for _, service_id in watch.missing_s} == {leaving}
    for url in tellers:
        of_it = told(url, leaving)
        assert of_it["status"] == "gone"
        assert of_it["cause"] == f"lease_expired: no heartbeat for {TTL_S:g} s"
        assert of_it == told(tellers[0], leaving)
        assert changes(url, "quiet", leaving) == [
            ("", "healthy", "registered"),
            ("healthy", "", f"lease_expired: no heartbeat for {TTL_S:g} s"),
        ]


def test_what_expired_is_back_with_its_next_heartbeat(
    replicas: ProcessCluster, tellers: list[str]
) -> None:
    """It never registers again; what was deregistered stays away."""
    expired = register(tellers[0], "back", "10.0.2.1", 80, metadata={"kept": "yes"})
    ended = register(tellers[0], "back", "10.0.2.2", 80)
    assert ask(tellers[1], f"/deregister/{ended}", method="DELETE").status == 200
    wait_listed(tellers, "back", set())

    revived = heartbeat(tellers[2], expired)
    refused = heartbeat(tellers[2], ended)

    assert (revived.status, revived["status"]) == (200, "ok")
    assert (refused.status, refused["code"]) == (404, "unknown_service_id")
    assert listed(tellers[2], "back") == {expired}
    replicas.wait_caught_up()
    for url in tellers:
        assert told(url, expired)["cause"] == "revived by heartbeat"
        assert told(url, expired)["metadata"] == {"kept": "yes"}
        assert told(url, ended)["cause"] == "deregistered"


def test_many_at_once_are_held_for_one_more_lease(
    replicas: ProcessCluster, tellers: list[str], tell: Tell
) -> None:
    """The way to the services is suspected, and told of, before they are given up.

    A permanent registration, which nobody keeps alive, is no part of it.
    """
    permanent = register(tellers[0], "database", "10.0.3.1", 80, ttl_seconds=0)
    sent_s = time.monotonic()
    ids = {register(tellers[0], "many", f"10.0.4.{n}", 80) for n in range(8)}
    answered_s = time.monotonic()
    wait_listed(tellers, "many", ids)
    leader = replicas.leader().url
    assert not is_holding(leader)
    with Watch(replicas, {"many": ids}) as watch:
        wait_until(lambda: is_holding(leader), "the leader's saying so")
        assert watch.missing_s == {}
        wait_until(lambda: len(watch.missing_s) == 3 * len(ids), "their leaving")

    left_s = sorted(watch.missing_s.values())
    tell(f"eight at once were held until {left_s[0] - sent_s:.2f} s")
    assert left_s[0] - sent_s >= 2 * TTL_S - 0.1
    assert left_s[-1] - answered_s <= 2 * TTL_S + SLACK_S
    wait_until(lambda: not is_holding(leader), "the end of the hold")
    assert [listed(url, "database") for url in tellers] == [{permanent}] * 3


def test_what_befell_them_is_known_after_a_restart_of_all(
    replicas: ProcessCluster, tellers: list[str]
) -> None:
    """The history is in the log, and the same everywhere."""
    names = ("told", "untold")
    ended = register(tellers[0], "told", "10.0.5.1", 80)
    assert ask(tellers[0], f"/deregister/{ended}", method="DELETE").status == 200
    register(tellers[0], "told", "10.0.5.2", 80, ttl_seconds=60)
    before = [history(tellers[0], name) for name in names]
    of_it = told(tellers[0], ended)
    for replica in replicas:
        replica.kill()
    replicas.start()

    assert [len(lines) for lines in before] == [3, 0]
    for url in tellers:
        assert [history(url, name) for name in names] == before
        assert told(url, ended) == of_it
