"""`registry dev` with real child processes: however it ends, none is left."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.commands.dev_cluster import (
    HOST,
    NODE_IDS,
    DevCluster,
    Member,
    plan,
    taken_ports,
)
from registry.commands.dev_directory import DevDirectory
from registry.commands.dev_view import is_ready
from registry.commands.root import root
from tests.support.dev_parent import FAKE_REPLICA
from tests.support.waiting import wait_until

TOP = Path(__file__).parents[3]


def free_members() -> tuple[Member, ...]:
    """Lay out members over six ports that are free now."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            base = probe.getsockname()[1]
        if base < 65_500 and not taken_ports(plan(base)):
            return plan(base)
    raise AssertionError("no six free ports")


def is_gone(pid: int) -> bool:
    """Tell if a process has ended; one that waits to be reaped by init has."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return stat.exists() and stat.read_text().rpartition(") ")[2].startswith("Z")
    except ProcessLookupError:
        return True


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DevDirectory]:
    """Return an open folder."""
    opened = DevDirectory(tmp_path / "dev", NODE_IDS)
    opened.open(fresh=False)
    yield opened
    opened.close()


@pytest.mark.slow
def test_the_cluster_becomes_ready_and_stops_in_order(directory: DevDirectory) -> None:
    """SIGTERM is enough for healthy children, and each is reaped."""
    with DevCluster(free_members(), directory, command=FAKE_REPLICA) as cluster:
        wait_until(lambda: is_ready(cluster.states()), "a ready cluster")
        pids = [state.pid for state in cluster.states()]

    states = cluster.states()
    assert [state.exit_code for state in states] == [0, 0, 0]
    assert all(is_gone(pid) for pid in pids)


@pytest.mark.slow
def test_a_child_that_does_not_stop_is_killed(
    directory: DevDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the patience is over, and only then."""
    monkeypatch.setenv("FAKE_STUBBORN", "1")
    cluster = DevCluster(free_members(), directory, command=FAKE_REPLICA)
    with cluster:
        wait_until(lambda: is_ready(cluster.states()), "a ready cluster")
        cluster.stop(patience_s=0.2)

    assert {state.exit_code for state in cluster.states()} == {-signal.SIGKILL}


@pytest.mark.slow
def test_a_child_that_dies_is_seen_with_its_message(
    directory: DevDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on; it is not restarted behind the user's back."""
    monkeypatch.setenv("FAKE_DIES", "b")
    with DevCluster(free_members(), directory, command=FAKE_REPLICA) as cluster:
        wait_until(lambda: cluster.states()[1].exit_code == 1, "the end of b")

        assert cluster.states()[0].exit_code is None
        assert directory.log_tail("b", 1) == ["the disk is full"]


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a whole `registry dev` over fake replicas until it says that it is ready."""
    base = free_members()[0].http_port
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.dev_parent", str(base), str(tmp_path)],
        cwd=TOP,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("ready"):
                break
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def children_of(pid: int) -> list[int]:
    """List the processes whose parent is ``pid``."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = re.findall(r"^\s*(\d+)\s+(\d+)\s*$", listing, re.MULTILINE)
    return [int(child) for child, owner in pairs if int(owner) == pid]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(
    parent: subprocess.Popen[str], number: signal.Signals
) -> None:
    """ctrl-C, a service manager, and a closed terminal."""
    children = children_of(parent.pid)
    assert len(children) == 3

    parent.send_signal(number)
    out, _ = parent.communicate(timeout=30)

    assert parent.returncode == 0
    assert "stopping" in out
    assert all(is_gone(child) for child in children)


@pytest.mark.slow
def test_children_of_a_killed_parent_end_too(parent: subprocess.Popen[str]) -> None:
    """Else the next `make run` finds its ports taken by ghosts."""
    children = children_of(parent.pid)
    assert len(children) == 3

    parent.kill()

    wait_until(lambda: all(is_gone(child) for child in children), "the children's end")


def test_ports_in_use_are_all_named_at_once() -> None:
    """Before anything is started."""
    members = free_members()
    with socket.socket() as one, socket.socket() as two:
        one.bind((HOST, members[0].http_port))
        one.listen()
        two.bind((HOST, members[2].raft_port))
        two.listen()

        taken = taken_ports(members)

    assert len(taken) == 2
    assert f"port {members[0].http_port} (HTTP of a): " in taken[0]
    assert f"port {members[2].raft_port} (Raft of c): " in taken[1]


def test_taken_ports_come_with_what_to_type_instead(tmp_path: Path) -> None:
    """In both ways to start it, and with ports that are free."""
    base = free_members()[0].http_port
    with socket.socket() as holder:
        holder.bind((HOST, base))
        holder.listen()
        arguments = ["dev", "--base-port", str(base), "--data-dir", str(tmp_path)]
        result = CliRunner().invoke(root, arguments)
        offered = re.search(
            r'choose others: make run ARGS="--base-port (\d+)"'
            r" \(registry dev --base-port \1\)\n",
            result.output,
        )

        assert result.exit_code == 1
        assert offered is not None
        assert taken_ports(plan(int(offered[1]))) == []
