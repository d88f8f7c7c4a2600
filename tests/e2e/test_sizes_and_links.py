"""Five replicas, and three that know each other by certificates."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.links.certificates import Authority
from tests.support.process_cluster import process_cluster
from tests.support.process_http import ask, instances

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

REGISTRATION = {"name": "web", "host": "10.0.0.1", "port": 80}


def test_five_replicas_survive_the_loss_of_two(tmp_path: Path) -> None:
    """What was acknowledged by five is there with three."""
    with process_cluster(tmp_path, size=5) as cluster:
        leader = cluster.leader()
        done = ask(leader.url, "/register", method="POST", body=REGISTRATION)
        assert done.status == 200
        leader.kill()
        cluster.others(leader)[0].kill()
        survivor = cluster.leader()
        again = ask(
            survivor.url,
            "/register",
            method="POST",
            body=REGISTRATION | {"host": "10.0.0.2"},
        )
        assert again.status == 200
        listed = instances(survivor.url, "web", query="?consistent=true")

    assert sorted(str(i["host"]) for i in listed) == ["10.0.0.1", "10.0.0.2"]


def test_three_replicas_with_certificates_make_a_cluster(tmp_path: Path) -> None:
    """TLS 1.3 both ways, each certificate for its node id alone."""
    authority = Authority(tmp_path)
    issued = {node_id: authority.issue(node_id, dns=(node_id,)) for node_id in "abc"}

    def settings(node_id: str) -> Mapping[str, str]:
        tls = issued[node_id]
        return {
            "SERVICE_REGISTRY_RAFT_TLS_CERT_FILE": str(tls.cert_file),
            "SERVICE_REGISTRY_RAFT_TLS_KEY_FILE": str(tls.key_file),
            "SERVICE_REGISTRY_RAFT_TLS_CA_FILE": str(tls.ca_file),
        }

    with process_cluster(tmp_path, settings=settings) as cluster:
        a, b = cluster["a"], cluster["b"]
        assert ask(a.url, "/register", method="POST", body=REGISTRATION).status == 200
        (listed,) = instances(b.url, "web", query="?consistent=true")

    assert listed["host"] == "10.0.0.1"
