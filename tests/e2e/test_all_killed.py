"""I9: what was acknowledged survives the SIGKILL of every replica at once."""

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import Tell
from tests.support.process_cluster import ALONE, ProcessCluster, process_cluster
from tests.support.process_load import Load

pytestmark = pytest.mark.e2e


def kill_all_under_load(cluster: ProcessCluster, rounds: int) -> tuple[int, int]:
    """Kill all, start all, judge; return (registrations, deregistrations) judged."""
    listed = gone = 0
    loads: list[Load] = []
    for _ in range(rounds):
        with Load(cluster.urls, leave_each=3) as load:
            load.wait_acknowledged(300)
            # Signals first, waiting afterwards: nobody outlives the others by much.
            for replica in cluster:
                os.kill(replica.pid, signal.SIGKILL)
            for replica in cluster:
                replica.wait()
        loads.append(load)
        cluster.start()
        for replica in cluster:
            load.verify(replica.url)
        listed += len(load.listed)
        gone += len(load.gone)
    for load in loads:  # and what was true in the first round still is
        load.verify(cluster.leader().url)
    return listed, gone


def test_nothing_is_lost_and_nothing_comes_back(cluster: ProcessCluster) -> None:
    """Shown 3: registrations are there, deregistered ones are not."""
    listed, gone = kill_all_under_load(cluster, 2)

    assert listed > 100
    assert gone > 50


@pytest.mark.soak
def test_nothing_is_lost_in_twenty_kills_of_all(
    cluster: ProcessCluster, tell: Tell
) -> None:
    """Shown 3, the long figure."""
    listed, gone = kill_all_under_load(cluster, 20)

    tell(f"20 x kill -9 of all: {listed} registrations kept, {gone} stayed away")


def test_a_cluster_of_one_is_durable_and_opens_no_raft_port(tmp_path: Path) -> None:
    """`docker run` of a single container keeps what it acknowledged, too."""
    with process_cluster(tmp_path, size=1) as cluster:
        alone = cluster[ALONE]
        http_port = int(alone.url.rpartition(":")[2])

        assert listening_ports(alone.pid) == {http_port}
        listed, gone = kill_all_under_load(cluster, 3)

    assert listed > 150
    assert gone > 75


def listening_ports(pid: int) -> set[int]:
    """Return the TCP ports on which a process listens (Linux)."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(descriptor)
        if target.startswith("socket:["):
            sockets.add(target[len("socket:[") : -1])
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports
