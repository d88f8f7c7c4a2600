"""What must not start says why in one message and ends with exit code 1 (settings: 2).

A wrong peer, id or data directory that only the others can see shows in `/ready`.
"""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process_cluster import ALONE, ProcessCluster, process_cluster
from tests.support.process_http import ask
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.process_replica import ReplicaProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

DATA_DIR = "SERVICE_REGISTRY_DATA_DIR"
PEERS = "SERVICE_REGISTRY_PEERS"
NODE_ID = "SERVICE_REGISTRY_NODE_ID"
BIND = "SERVICE_REGISTRY_BIND"
EXIT_FATAL = 70


def refusal(replica: ReplicaProcess, *, exit_code: int = 1) -> str:
    """Start a replica that must refuse; return why it says it does."""
    replica.start()
    assert replica.wait() == exit_code
    if exit_code == 1:
        return str(replica.logged("Cannot start")[-1]["reason"])
    return replica.log.read_text()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[ReplicaProcess]:
    """Return a cluster of one, not started."""
    with process_cluster(tmp_path, size=1, start=False) as cluster:
        yield cluster[ALONE]


@pytest.fixture
def three(tmp_path: Path) -> Iterator[ProcessCluster]:
    """Return a cluster of three, not started."""
    with process_cluster(tmp_path, start=False) as cluster:
        yield cluster


def test_authorities_for_checks_that_cannot_be_read(
    alone: ReplicaProcess, tmp_path: Path
) -> None:
    """Before anything is opened: the process ends, and leaves nothing behind."""
    file = tmp_path / "settings.json"
    file.write_text('{"health_check": {"tls_ca_file": "/no/such.pem"}}')
    alone.arguments = ("--config", str(file))

    assert refusal(alone).startswith("health_check.tls_ca_file: /no/such.pem")
    assert not Path(alone.settings[DATA_DIR]).exists()


DEFECTIVE = """
import registry.node
registry.node.Duties = None
from registry.cli import main
main()
"""


def test_a_defect_while_starting(alone: ReplicaProcess) -> None:
    """The process ends for its supervisor: threads of what was built do not keep it."""
    alone.command = (sys.executable, "-c", DEFECTIVE, "serve")
    alone.start()

    assert alone.wait(deadline_s=10.0) == EXIT_FATAL
    assert "TypeError" in alone.log.read_text()


def test_the_http_port_is_taken(alone: ReplicaProcess) -> None:
    """Named, with the address."""
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        taken = f"{LOOPBACK}:{other.getsockname()[1]}"
        alone.settings[BIND] = taken
        reason = refusal(alone)

    assert reason.startswith(f"cannot listen on {taken} (SERVICE_REGISTRY_BIND): ")
    assert "address already in use" in reason.lower()


def test_the_raft_port_is_taken(three: ProcessCluster) -> None:
    """Before anyone is dialled."""
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        taken = f"{LOOPBACK}:{other.getsockname()[1]}"
        three["a"].settings["SERVICE_REGISTRY_RAFT_BIND"] = taken
        reason = refusal(three["a"])

    assert reason.startswith(f"cannot bind the Raft port {taken}: Address already in")


def test_the_data_directory_is_in_use(alone: ReplicaProcess, tmp_path: Path) -> None:
    """By whom is said, too; the first one goes on."""
    alone.start()
    wait_until(lambda: alone.is_ready, "the first one")
    second = ReplicaProcess(
        ALONE, alone.url, alone.settings | {BIND: f"{LOOPBACK}:0"}, tmp_path / "2.log"
    )
    try:
        reason = refusal(second)
    finally:
        second.end()

    expected = f"data directory {alone.settings[DATA_DIR]} is in use by pid {alone.pid}"
    assert reason == expected
    assert alone.is_ready


def unwritable(folder: Path) -> Path:
    """Return a folder in which nothing can be made, root or not (Linux)."""
    if os.geteuid() == 0:
        return Path("/sys/kernel")
    folder.mkdir()
    folder.chmod(0o500)
    return folder


def test_the_data_directory_cannot_be_written(
    alone: ReplicaProcess, tmp_path: Path
) -> None:
    """Before anything is listened on."""
    folder = unwritable(tmp_path / "read-only")
    alone.settings[DATA_DIR] = str(folder)

    reason = refusal(alone)

    assert reason.startswith(f"data directory {folder} is not writable: ")


def test_the_data_directory_cannot_be_made(
    alone: ReplicaProcess, tmp_path: Path
) -> None:
    """A volume that is not mounted must not be papered over."""
    alone.settings[DATA_DIR] = str(tmp_path / "not" / "mounted")

    reason = refusal(alone)

    assert f"{tmp_path / 'not'} does not exist" in reason


def test_the_log_is_damaged(alone: ReplicaProcess, tmp_path: Path) -> None:
    """Rot in what was synced: refused, never cut off in silence."""
    with process_cluster(tmp_path, size=1) as cluster:
        cluster[ALONE].kill()
    data = Path(alone.settings[DATA_DIR])
    segment = min(data.glob("wal-*.log"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 3] ^= 0xFF
    segment.write_bytes(content)

    assert str(segment.name) in refusal(alone)


def test_the_peer_list_is_not_the_recorded_one(three: ProcessCluster) -> None:
    """Members change one by one, by command; never by editing a list."""
    three.start()
    for replica in three:
        replica.kill()
    changed = three["a"]
    changed.settings[PEERS] = changed.settings[PEERS].replace("c=", "d=")

    reason = refusal(changed)

    assert reason == (
        "the peer list a, b, d is not that of the cluster: "
        "its members are a, b, c (epoch 1)"
    )


def test_the_data_directory_is_that_of_another_node(three: ProcessCluster) -> None:
    """Two volumes were swapped."""
    three.start()
    for replica in three:
        replica.kill()
    three["a"].settings[DATA_DIR] = three["b"].settings[DATA_DIR]

    reason = refusal(three["a"])

    assert reason == (
        "the data directory belongs to node 'b', this one is 'a': "
        "each replica needs its own"
    )


def test_the_data_directory_is_that_of_another_cluster(tmp_path: Path) -> None:
    """It starts (nobody can know before asking), takes no part, and says so."""
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    with process_cluster(tmp_path / "1") as other:
        for replica in other:
            replica.kill()
    with process_cluster(tmp_path / "2") as cluster:
        leader = cluster.leader()
        stray = cluster.others(leader)[0]
        stray.kill()
        data = Path(stray.settings[DATA_DIR])
        shutil.rmtree(data)
        shutil.copytree(tmp_path / "1" / stray.node_id, data)
        stray.start()

        def says_so() -> bool:
            reply = stray.get("/ready")
            return reply is not None and b"another cluster" in reply.body

        wait_until(says_so, "the reason in /ready")
        reply = stray.get("/ready")
        assert reply is not None
        assert reply.status == 503
        wait_until(
            lambda: any(
                entry["reason"] == "other_cluster"
                for message in ("Refused a peer", "Refused by a peer")
                for entry in leader.logged(message)
            ),
            "the leader's log line",
        )
        assert ask(stray.url, "/services/x").status == 503
        assert leader.state()["role"] == "leader"


def test_two_processes_run_under_one_id(three: ProcessCluster, tmp_path: Path) -> None:
    """The second is not let in while the first lives, and says why."""
    three.start()
    first = three.others(three.leader())[0]
    ports = ReservedPorts()
    second = ReplicaProcess(
        first.node_id,
        f"http://{LOOPBACK}:{(http := ports.take())}",
        first.settings
        | {
            BIND: f"{LOOPBACK}:{http}",
            DATA_DIR: str(tmp_path / "second"),
            "SERVICE_REGISTRY_RAFT_BIND": f"{LOOPBACK}:{ports.take()}",
        },
        tmp_path / "second.log",
    )
    try:
        second.start()

        def says_so() -> bool:
            reply = second.get("/ready")
            return reply is not None and b"same node id" in reply.body

        wait_until(says_so, "the reason in /ready")
        assert not second.is_ready
        assert three.leader() is not first
        assert all(replica.is_ready for replica in three)
    finally:
        second.end()
        ports.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({PEERS: "a=10.0.0.1:8101,b=10.0.0.2:8101,c=10.0.0.3:8101"}, "registry keygen"),
        ({PEERS: "a=127.0.0.1:8101,b=127.0.0.1:8102"}, "it must be 1, 3 or 5"),
        ({NODE_ID: "x"}, "is none of the peers (a, b, c)"),
    ],
)
def test_the_settings_do_not_make_a_safe_cluster(
    three: ProcessCluster, changes: dict[str, str], said: str
) -> None:
    """Peers beyond this machine without a key, an even number, a foreign id."""
    three["a"].settings |= changes

    assert said in refusal(three["a"], exit_code=2)
