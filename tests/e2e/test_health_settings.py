"""Shown 3 and 4: each setting of the seed has its effect, and its metrics are true."""

import json
import statistics
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.support.process_cluster import ALONE, process_cluster
from tests.support.process_duties import (
    cause,
    heartbeat,
    listed,
    register,
    told,
    wait_listed,
)
from tests.support.process_http import ask, metric
from tests.support.small_service import LOOPBACK, SmallServices
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

INTERVAL_S = 0.5
TIMEOUT_S = 0.2
FAILURES = 2
TTL_S = 1.2
ENVIRONMENT = {
    "HEALTH_CHECK_INTERVAL": f"{INTERVAL_S:g}",
    "HEALTH_CHECK_TIMEOUT": f"{TIMEOUT_S:g}",
    "HEALTH_CHECK_FAILURES": f"{FAILURES}",
    "SERVICE_TTL": f"{TTL_S:g}",
}
FILE = {
    "health_check": {
        "interval_seconds": INTERVAL_S,
        "timeout_seconds": TIMEOUT_S,
        "failure_threshold": FAILURES,
    },
    "service_ttl_seconds": TTL_S,
}


@pytest.fixture(scope="module", params=["environment", "file"])
def url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run a replica that got its settings from one source; return where it answers."""
    folder = tmp_path_factory.mktemp(request.param)
    from_file = request.param == "file"
    with process_cluster(
        folder,
        size=1,
        settings=lambda _: {} if from_file else ENVIRONMENT,
        start=False,
    ) as alone:
        if from_file:
            file = folder / "settings.json"
            file.write_text(json.dumps(FILE))
            alone[ALONE].arguments = ("--config", str(file))
        alone.start()
        yield alone[ALONE].url


def test_checks_come_at_the_interval(url: str) -> None:
    """`HEALTH_CHECK_INTERVAL`; each a little early, so that they stay spread."""
    with SmallServices(LOOPBACK) as services:
        one = services[0]
        register(url, "steady", one.host, one.port, health_endpoint="/health")
        wait_until(lambda: one.probes >= 5, "five checks")

    # The first two do not count: the first comes at once, the second at its own phase.
    gaps_s = [after - before for before, after in pairwise(one.asked_s[1:])]
    assert 0.8 * INTERVAL_S <= statistics.median(gaps_s) <= 1.2 * INTERVAL_S


def test_an_answer_after_the_timeout_is_a_failure(url: str) -> None:
    """`HEALTH_CHECK_TIMEOUT`: within the interval, so that no other bound acts."""
    with SmallServices(LOOPBACK, LOOPBACK) as services:
        slow, quick = services.services
        slow.delay_s = 2 * TIMEOUT_S
        quick.delay_s = TIMEOUT_S / 4
        ids = {
            one: register(url, "late", one.host, one.port, health_endpoint="/health")
            for one in (slow, quick)
        }
        wait_listed([url], "late", {ids[quick]})

        assert cause(url, ids[quick]) == "registered"
        assert cause(url, ids[slow]).startswith("check_failed: time")


def test_so_many_failures_make_it_unhealthy(url: str) -> None:
    """`HEALTH_CHECK_FAILURES`; and one success brings it back."""
    with SmallServices(LOOPBACK) as services:
        one = services[0]
        service_id = register(url, "ill", one.host, one.port, health_endpoint="/h")
        wait_until(lambda: one.probes >= 1, "its first check")
        one.asked_s.clear()
        one.status = 503
        wait_listed([url], "ill", set())
        needed = one.probes
        assert cause(url, service_id) == f"check_failed: 503 ({FAILURES} of {FAILURES})"
        one.status = 200
        wait_listed([url], "ill", {service_id})

        assert needed == FAILURES
        assert cause(url, service_id) == "check_passed"


def test_a_lease_lasts_for_the_ttl(url: str) -> None:
    """`SERVICE_TTL`, for whoever names none of its own."""
    sent_s = time.monotonic()
    usual = register(url, "usual", "10.0.0.1", 80)
    own = register(url, "own", "10.0.0.2", 80, ttl_seconds=60)
    wait_listed([url], "usual", set())
    lasted_s = time.monotonic() - sent_s

    assert TTL_S <= lasted_s <= TTL_S + 0.6
    assert told(url, usual)["cause"] == f"lease_expired: no heartbeat for {TTL_S:g} s"
    assert listed(url, "own") == {own}


def test_the_five_metrics_of_the_seed_count_what_they_say(url: str) -> None:
    """Compared with what the services themselves have counted."""
    for known in ("steady", "late", "ill", "own"):
        for instance in ask(url, f"/services/{known}?status=all").json["instances"]:  # type: ignore[attr-defined]
            ask(url, f"/deregister/{instance['service_id']}", method="DELETE")
    checks = metric(url, "registry_health_checks_total")
    failures = metric(url, "registry_health_check_failures_total")
    with SmallServices(LOOPBACK, LOOPBACK) as services:
        good, bad = services.services
        bad.status = 500
        for one in (good, bad):
            register(url, "counted", one.host, one.port, health_endpoint="/health")
        silent = register(url, "counted", "10.0.0.9", 80, ttl_seconds=60)
        wait_until(lambda: metric(url, "registry_services_healthy") == 2, "two healthy")
        wait_until(lambda: good.probes >= 3, "three checks")

        assert metric(url, "registry_services_total") == 3
        wait_until(
            lambda: (
                metric(url, "registry_health_checks_total") - checks
                == good.probes + bad.probes
            ),
            "equal counts of checks",
        )
        wait_until(
            lambda: (
                metric(url, "registry_health_check_failures_total") - failures
                == bad.probes
            ),
            "equal counts of failures",
        )
        requests = metric(url, "registry_requests_total")
        for _ in range(5):
            heartbeat(url, silent)
        # The scrape that tells the first number is counted after it was told.
        assert metric(url, "registry_requests_total") - requests == 5 + 1
        assert ask(url, "/health")["healthy_services"] == 2
