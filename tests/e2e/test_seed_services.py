"""Shown 2: services of the seed document stay listed, each by its own way to live."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_duties import (
    Watch,
    cause,
    changes,
    listed,
    register,
    told,
    wait_listed,
)
from tests.support.process_http import ask
from tests.support.seed_client import seed_client
from tests.support.small_service import LOOPBACK, SmallServices
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TTL_S = 1.4
LEASE_S = 3.7
"""Of one with a check: two intervals and time-outs, and 3 s for opinions."""
SETTINGS = {
    "HEALTH_CHECK_INTERVAL": "0.2",
    "HEALTH_CHECK_TIMEOUT": "0.15",
    "HEALTH_CHECK_FAILURES": "2",
    "SERVICE_TTL": f"{TTL_S:g}",
}
RUST_CLIENT = Path(__file__).parent / "rust_client"
COMPILED_S = 900.0


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessCluster]:
    """Run three replicas for all tests here."""
    with process_cluster(
        tmp_path_factory.mktemp("seed"), settings=lambda _: SETTINGS
    ) as running:
        yield running


def watch_a_lone_service(replicas: ProcessCluster, name: str, service_id: str) -> None:
    """Check that it stays for 3 TTLs, while beside it a lease without a check ends."""
    without = register(replicas.urls[0], f"{name}-without", "10.0.0.1", 80)
    wait_listed(replicas.urls, name, {service_id})
    with Watch(replicas, {name: {service_id}}) as watch:
        time.sleep(max(3 * TTL_S, LEASE_S))

    assert watch.looks > 10
    assert watch.missing_s == {}
    assert told(replicas.urls[0], without)["status"] == "gone"
    for url in replicas.urls:
        assert changes(url, name, service_id) == [("", "healthy", "registered")]


def test_the_rust_client_stays_by_its_checks_alone(replicas: ProcessCluster) -> None:
    """It registers once and never sends a heartbeat: its request, field by field."""
    with SmallServices(LOOPBACK) as services:
        one = services[0]
        request = {
            "name": "rust",
            "host": one.host,
            "port": one.port,
            "health_endpoint": "/health",
        }
        reply = ask(replicas.urls[0], "/register", method="POST", body=request)
        watch_a_lone_service(replicas, "rust", str(reply["service_id"]))


@pytest.mark.soak
def test_the_rust_client_itself_stays(replicas: ProcessCluster, tmp_path: Path) -> None:
    """Compiled from the document's text; needs cargo and its registry."""
    cargo = shutil.which("cargo")
    assert cargo is not None, "there is no cargo"
    build = [cargo, "build", "--locked", "--quiet", "--target-dir", str(tmp_path)]
    subprocess.run(build, cwd=RUST_CLIENT, check=True, timeout=COMPILED_S)
    with SmallServices(LOOPBACK) as services:
        one = services[0]
        said = subprocess.run(
            [
                str(tmp_path / "debug" / "seed-client"),
                replicas.urls[1],
                "compiled",
                one.host,
                str(one.port),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=30.0,
        ).stdout
        watch_a_lone_service(replicas, "compiled", said.strip())


def test_the_python_client_that_was_cut_off_is_back_with_its_heartbeat(
    replicas: ProcessCluster,
) -> None:
    """It never registers again: nothing of its text has an answer to a 404."""
    url = replicas.leader().url
    with SmallServices(LOOPBACK) as services:
        one = services[0]
        client = seed_client(url)
        service_id = client.register("python", one.host, one.port)
        wait_until(lambda: one.probes >= 2, "its checks")
        one.is_cut_off = True
        cut_off_s = time.monotonic()
        wait_until(
            lambda: cause(url, service_id).startswith("lease_expired: "),
            "the end of its lease",
        )
        assert time.monotonic() - cut_off_s >= 2 * TTL_S
        assert client.discover("python") == []

        client.heartbeat()

        assert cause(url, service_id) == "revived by heartbeat"
        found = client.discover("python")
        assert [(i["service_id"], i["status"]) for i in found] == [
            (service_id, "healthy")
        ]
        one.is_cut_off = False
        with Watch(replicas, {"python": {service_id}}) as watch:
            replicas.wait_caught_up()
            time.sleep(TTL_S)
        assert all(listed(each, "python") == {service_id} for each in replicas.urls)
        assert len(watch.missing_s) <= 2  # followers that had not applied it yet
        one.is_cut_off = True
        wait_listed([url], "python", set())
        one.is_cut_off = False
        wait_listed([url], "python", {service_id})
