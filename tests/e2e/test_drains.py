"""Out of the list on purpose and back, by HTTP and by command; addresses claimed twice.

`a` gives an address to whoever registers there last, `b` and `c` warn.
"""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_duties import (
    cause,
    changes,
    findings,
    listed,
    register,
    told,
    wait_listed,
)
from tests.support.process_http import Reply, ask, metric
from tests.support.process_replica import TOP, environment
from tests.support.small_service import LOOPBACK, SmallServices
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

COMMAND_S = 20.0
SETTINGS = {"HEALTH_CHECK_INTERVAL": "0.5", "HEALTH_CHECK_TIMEOUT": "0.4"}
REPLACING = {"SERVICE_REGISTRY_EXCLUSIVE_ADDRESS": "replace"}


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessCluster]:
    """Run three replicas for all tests here: each uses service names of its own."""
    with process_cluster(
        tmp_path_factory.mktemp("drains"),
        settings=lambda node_id: SETTINGS | (REPLACING if node_id == "a" else {}),
    ) as running:
        yield running


def post(url: str, path: str, body: object = None) -> Reply:
    """Send a POST; the answer must be a 200."""
    reply = ask(url, path, method="POST", body=body)
    assert reply.status == 200, reply.body
    return reply


def command(url: str, *words: str) -> str:
    """Run `registry` with these words; return what it prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "registry", *words],
        cwd=TOP,
        env=environment({"SERVICE_REGISTRY_URL": url}),
        capture_output=True,
        timeout=COMMAND_S,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_drained_instance_leaves_at_once_and_returns(
    replicas: ProcessCluster,
) -> None:
    """Still known and checked meanwhile; also when it registers anew."""
    urls = replicas.urls
    with SmallServices(LOOPBACK) as services:
        one = services[0]

        def register_it() -> str:
            return register(
                urls[0], "moved", one.host, one.port, health_endpoint="/health"
            )

        first = register_it()
        wait_listed(urls, "moved", {first})
        post(urls[1], f"/instances/{first}/drain", {"reason": "new disk"})
        assert listed(urls[1], "moved") == set()
        probes = one.probes
        again = register_it()
        wait_until(lambda: one.probes >= probes + 2, "checks of a drained one")
        assert listed(urls[0], "moved") == set()
        of_it = told(urls[0], again)
        assert (of_it["status"], of_it["cause"]) == ("draining", "drained: new disk")
        assert any("new disk" in text for text in findings(urls[0], "moved"))

        post(urls[2], f"/instances/{again}/undrain")

        assert listed(urls[2], "moved") == {again}
        refused = ask(urls[2], f"/instances/{again}/undrain", method="POST")
        assert (refused.status, refused["code"]) == (409, "not_drained")
    replicas.wait_caught_up()
    for url in urls:
        reasons = [why for _, _, why in changes(url, "moved", first)]
        assert reasons[:2] == ["registered", "drained: new disk"]
        assert "undrained" in [why for _, _, why in changes(url, "moved", again)]


def test_a_drain_ends_at_its_limit(replicas: ProcessCluster) -> None:
    """So that what was forgotten comes back by itself."""
    url = replicas.urls[0]
    service_id = register(url, "limited", "10.0.5.1", 80)
    post(url, f"/instances/{service_id}/drain", {"reason": "short", "seconds": 1})
    assert listed(url, "limited") == set()

    wait_listed(replicas.urls, "limited", {service_id})

    assert changes(url, "limited", service_id)[-1] == (
        "draining",
        "healthy",
        "drained: time limit reached",
    )


def test_a_host_is_drained_and_put_back_by_command(replicas: ProcessCluster) -> None:
    """All its instances, and those of no other host."""
    url = replicas.urls[1]
    ids = {
        name: register(url, name, "10.0.6.1", port)
        for name, port in (("shop", 80), ("till", 81))
    }
    other = register(url, "shop", "10.0.6.2", 80)
    replicas.wait_caught_up()

    command(url, "drain", "--host", "10.0.6.1", "--reason", "kernel")

    replicas.wait_caught_up()
    assert listed(url, "shop") == {other}
    assert listed(url, "till") == set()
    assert "kernel" in command(url, "why", "till")
    command(url, "undrain", "--host", "10.0.6.1")
    assert listed(url, "shop") == {other, ids["shop"]}
    assert listed(url, "till") == {ids["till"]}
    command(url, "drain", ids["till"])
    assert cause(url, ids["till"]) == "drained"
    command(url, "undrain", ids["till"])
    assert listed(url, "till") == {ids["till"]}
    assert "undrained" in command(url, "history", "till")


def test_an_address_under_two_names_is_told(replicas: ProcessCluster) -> None:
    """Both stay: one machine may well be known by two names."""
    url = replicas["b"].url
    before = metric(url, "registry_shared_addresses")
    ids = [register(url, name, "10.0.7.1", 80) for name in ("old", "new")]

    assert [listed(url, name) for name in ("old", "new")] == [{ids[0]}, {ids[1]}]
    assert metric(url, "registry_shared_addresses") - before == 1
    sentences = findings(url, "old")
    assert any("new" in text and "10.0.7.1:80" in text for text in sentences)


def test_an_address_given_to_another_name_takes_the_old_entry_with_it(
    replicas: ProcessCluster,
) -> None:
    """For addresses of pods, which are used again within seconds."""
    url = replicas["a"].url
    before = metric(url, "registry_shared_addresses")
    old, new = (register(url, name, "10.0.8.1", 80) for name in ("gone", "come"))

    assert [listed(url, name) for name in ("gone", "come")] == [set(), {new}]
    assert metric(url, "registry_shared_addresses") == before
    replicas.wait_caught_up()
    for replica in replicas:
        assert cause(replica.url, old) == "replaced: 10.0.8.1:80 belongs to come now"
