"""Rules between settings: clusters that would look alive and lose data are refused."""

from pathlib import Path

import pytest

from registry.config import Address
from registry.config_check import is_loopback, with_http_port
from tests.unit.config.worlds import LOCAL_PEERS, load_in, mistakes_in

PEERS = "a=h1:8101,b=h2:8101,c=h3:8101"
MEMBER = {"SERVICE_REGISTRY_PEERS": LOCAL_PEERS, "SERVICE_REGISTRY_NODE_ID": "a"}
REMOTE = {"SERVICE_REGISTRY_PEERS": PEERS, "SERVICE_REGISTRY_NODE_ID": "a"}
KEY = {"SERVICE_REGISTRY_RAFT_KEY_FILE": "/etc/key"}
TLS = {
    "SERVICE_REGISTRY_RAFT_TLS_CERT_FILE": "c",
    "SERVICE_REGISTRY_RAFT_TLS_KEY_FILE": "k",
    "SERVICE_REGISTRY_RAFT_TLS_CA_FILE": "a",
}


def test_without_peers_it_is_a_cluster_of_one(tmp_path: Path) -> None:
    """The seed's `docker run` works, durably, and opens no Raft port."""
    loaded = load_in(tmp_path)

    cluster = loaded.config.cluster
    assert (cluster.node_id, cluster.peers, cluster.raft_bind) == ("registry", {}, None)
    assert cluster.data_dir == "/home/me/.local/state/service-registry"
    assert cluster.advertise == "http://localhost:8100"
    assert loaded.origins["cluster.data_dir"] == "derived"


def test_the_state_folder_follows_xdg(tmp_path: Path) -> None:
    """A relative XDG folder is invalid by its specification and ignored."""
    set_so = {"XDG_STATE_HOME": "/state"}
    relative = {"XDG_STATE_HOME": "state"}

    assert (
        load_in(tmp_path, set_so).config.cluster.data_dir == "/state/service-registry"
    )
    assert load_in(tmp_path, relative).config.cluster.data_dir.startswith("/home/me/")
    assert (
        "SERVICE_REGISTRY_DATA_DIR is needed" in mistakes_in(tmp_path, {"HOME": ""})[0]
    )


def test_in_kubernetes_a_lone_replica_must_be_asked_for(tmp_path: Path) -> None:
    """Three silent singletons behind one name are worse than a crash."""
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}

    (mistake,) = mistakes_in(tmp_path, pod)

    assert "k8s/" in mistake
    assert "SERVICE_REGISTRY_SINGLE=1" in mistake
    single = load_in(tmp_path, pod | {"SERVICE_REGISTRY_SINGLE": "1"}).config
    assert single.cluster.peers == {}
    assert len(load_in(tmp_path, pod | MEMBER).config.cluster.peers) == 3


def test_a_member_on_loopback_needs_no_key(tmp_path: Path) -> None:
    """`registry dev` and first trials; its Raft port stays on loopback."""
    cluster = load_in(tmp_path, MEMBER).config.cluster

    assert cluster.raft_bind == Address("127.0.0.1", 8101)
    assert cluster.advertise == "http://127.0.0.1:8100"


def test_beyond_loopback_the_raft_port_is_open_but_locked(tmp_path: Path) -> None:
    """Its bind address defaults to all interfaces, at the port that the peers dial."""
    cluster = load_in(tmp_path, REMOTE | KEY).config.cluster

    assert cluster.raft_bind == Address("0.0.0.0", 8101)
    assert cluster.advertise == "http://h1:8100"
    assert load_in(tmp_path, REMOTE | TLS).config.cluster.raft_tls_ca_file == "a"


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        (REMOTE, "registry keygen"),
        (
            MEMBER | {"SERVICE_REGISTRY_RAFT_BIND": "0.0.0.0:8101"},
            "SERVICE_REGISTRY_RAFT_BIND 0.0.0.0:8101 can be reached from beyond",
        ),
        (REMOTE | KEY | TLS, "both given"),
        (
            REMOTE | {"SERVICE_REGISTRY_RAFT_TLS_CERT_FILE": "c"},
            "SERVICE_REGISTRY_RAFT_TLS_KEY_FILE and SERVICE_REGISTRY_RAFT_TLS_CA_FILE",
        ),
        (
            {"SERVICE_REGISTRY_PEERS": LOCAL_PEERS},
            "NODE_ID is missing: which of the peers (a, b, c)",
        ),
        (MEMBER | {"SERVICE_REGISTRY_NODE_ID": "d"}, "= 'd' is none of the peers"),
        (
            MEMBER | {"SERVICE_REGISTRY_PEERS": "a=localhost:1,b=localhost:2"},
            "lists 2 members; it must be 1, 3 or 5: an even number survives no more",
        ),
        (
            MEMBER
            | {
                "SERVICE_REGISTRY_PEERS": ",".join(
                    f"{n}=localhost:{8101 + i}" for i, n in enumerate("abcdefg")
                )
            },
            "lists 7 members; it must be 1, 3 or 5: more than 5",
        ),
        (
            MEMBER
            | {"SERVICE_REGISTRY_PEERS": "a=localhost:1,b=localhost:1,c=localhost:3"},
            "a and b have the same address localhost:1",
        ),
        (
            MEMBER
            | {"SERVICE_REGISTRY_PEERS": "a=127.0.0.1:1,b=localhost:1,c=[::1]:3"},
            "a and b have the same address localhost:1",
        ),
        (
            MEMBER
            | {"SERVICE_REGISTRY_PEERS": "a=127.0.0.1:1,b=127.0.0.1:2,c=[::1]:1"},
            "a and c have the same address [::1]:1",
        ),
        (
            REMOTE | KEY | {"SERVICE_REGISTRY_PEERS": "a=h:1,b=H.:1,c=i:1"},
            "a and b have the same address H.:1",
        ),
        ({"SERVICE_REGISTRY_NODE_ID": "a"}, "without SERVICE_REGISTRY_PEERS"),
        (
            MEMBER | {"SERVICE_REGISTRY_BIND": "127.0.0.1:0"},
            "set SERVICE_REGISTRY_ADVERTISE",
        ),
        (
            MEMBER | {"SERVICE_REGISTRY_BIND": "127.0.0.1:8101"},
            "cannot share port 8101",
        ),
        (MEMBER | {"SERVICE_REGISTRY_SINGLE": "1"}, "which one is meant?"),
        ({"HANA_ODATA_URL": "https://h"}, "HANA_USERNAME and HANA_PASSWORD"),
    ],
)
def test_a_dangerous_combination_is_one_mistake(
    tmp_path: Path, env: dict[str, str], reason: str
) -> None:
    """And the message names what to set instead."""
    (mistake,) = mistakes_in(tmp_path, env)

    assert reason in mistake


@pytest.mark.parametrize(
    "env",
    [
        {"SERVICE_REGISTRY_PEERS": "nonsense", "KUBERNETES_SERVICE_HOST": "10.0.0.1"},
        MEMBER | {"SERVICE_REGISTRY_NODE_ID": "?"},
        {"SERVICE_REGISTRY_PEERS": ",,", "SERVICE_REGISTRY_NODE_ID": "a"},
        {"SERVICE_REGISTRY_SINGLE": "?", "SERVICE_REGISTRY_NODE_ID": "a"},
        MEMBER
        | {"SERVICE_REGISTRY_BIND": "h:0", "SERVICE_REGISTRY_ADVERTISE": "no url"},
        REMOTE | {"SERVICE_REGISTRY_RAFT_KEY_FILE": "a\nb"},
        {
            "HANA_ODATA_URL": "https://h",
            "HANA_USERNAME": "u",
            "HANA_PASSWORD": "x" * 5000,
        },
    ],
)
def test_a_value_not_understood_causes_no_second_message(
    tmp_path: Path, env: dict[str, str]
) -> None:
    """One message per mistake: what was mistyped is not also "missing"."""
    assert len(mistakes_in(tmp_path, env)) == 1


def test_only_loopback_is_loopback() -> None:
    """A name that resolves to loopback today may not tomorrow."""
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(is_loopback, ["0.0.0.0", "10.0.0.1", "me.local", "::", ""]))


def test_what_only_looks_wrong_is_allowed(tmp_path: Path) -> None:
    """Each loopback address has ports of its own; a lone replica may have a name."""
    several = "a=127.0.0.1:1,b=127.0.0.2:1,c=127.0.0.3:1"
    lone = {"SERVICE_REGISTRY_SINGLE": "1", "SERVICE_REGISTRY_NODE_ID": "a"}
    told = {"SERVICE_REGISTRY_BIND": "h:0", "SERVICE_REGISTRY_ADVERTISE": "h:80"}

    load_in(tmp_path, MEMBER | {"SERVICE_REGISTRY_PEERS": several})
    load_in(tmp_path, MEMBER | told)

    assert load_in(tmp_path, lone).config.cluster.node_id == "a"


def test_the_port_that_the_system_chose_is_the_one_told(tmp_path: Path) -> None:
    """Nobody can reach port 0; what the operator has set stays."""
    zero = {"SERVICE_REGISTRY_BIND": "127.0.0.1:0"}
    told = zero | {"SERVICE_REGISTRY_ADVERTISE": "http://h:80"}

    config = with_http_port(load_in(tmp_path, zero).config, 5000)

    assert config.bind_address == Address("127.0.0.1", 5000)
    assert config.cluster.advertise == "http://127.0.0.1:5000"
    asked_for = load_in(tmp_path).config
    assert with_http_port(asked_for, 8100) == asked_for
    config = with_http_port(load_in(tmp_path, told).config, 5000)
    assert config.cluster.advertise == "http://h:80"
