"""The processes of a local cluster: three `registry serve` on loopback, and their end.

The children get sessions of their own, so that ctrl-C reaches only the parent, which
ends them in order. They also read a pipe whose other end the parent alone holds: should
it be killed, they see its end and stop by themselves.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from registry.commands.dev_directory import DevDirectory
from registry.commands.target import request
from registry.config_table import BY_NAME, ENV_PREFIX

HOST = "127.0.0.1"
NODE_IDS = ("a", "b", "c")
PORT_STEP = 10
STOP_S = 10.0
POLL_TIMEOUT_S = 0.4
SETTINGS_KEPT = ("log_level", "request_deadline_seconds")
"""Of our own settings in the environment, those that may differ from what dev sets."""


@dataclass(frozen=True, slots=True)
class Member:
    """One replica to be."""

    node_id: str
    http_port: int

    @property
    def raft_port(self) -> int:
        """The port its peers connect to."""
        return self.http_port + 1

    @property
    def url(self) -> str:
        """Its HTTP address."""
        return f"http://{HOST}:{self.http_port}"


@dataclass(frozen=True, slots=True)
class MemberState:
    """What is known of one replica at one moment."""

    member: Member
    pid: int
    exit_code: int | None
    """None while the process runs."""
    cluster: Mapping[str, object] | None
    """Its answer to ``GET /cluster``; None while there is none."""

    @property
    def phase(self) -> str:
        """``starting``, ``joining``, ``leader``, ``follower``, … or ``exited (1)``."""
        if self.exit_code is not None:
            return f"exited ({_exit_text(self.exit_code)})"
        if self.cluster is None:
            return "starting"
        if self.cluster.get("caught_up") is not True:
            return "joining"
        return str(self.cluster.get("role", "unknown"))


def plan(base_port: int) -> tuple[Member, ...]:
    """Lay out the members: HTTP at base, +10, +20; Raft one above each."""
    return tuple(Member(n, base_port + PORT_STEP * i) for i, n in enumerate(NODE_IDS))


def taken_ports(members: tuple[Member, ...]) -> list[str]:
    """Name each port that something else holds already."""
    taken = []
    for member in members:
        for port, use in ((member.http_port, "HTTP"), (member.raft_port, "Raft")):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError as error:
                    reason = error.strerror or "cannot be bound"
                    taken.append(f"port {port} ({use} of {member.node_id}): {reason}")
    return taken


def child_environment(
    member: Member,
    members: tuple[Member, ...],
    directory: DevDirectory,
    environ: Mapping[str, str],
) -> dict[str, str]:
    """Make a child's environment: ours, except for what says who and where it is."""
    kept = {BY_NAME[name].env for name in SETTINGS_KEPT}
    child = {
        name: value
        for name, value in environ.items()
        if not name.startswith(ENV_PREFIX) or name in kept
    }
    settings = {
        "bind_address": f"{HOST}:{member.http_port}",
        "log_format": "json",
        "cluster.node_id": member.node_id,
        "cluster.peers": ",".join(f"{m.node_id}={HOST}:{m.raft_port}" for m in members),
        "cluster.data_dir": str(directory.data(member.node_id)),
        "cluster.raft_bind": f"{HOST}:{member.raft_port}",
        "cluster.advertise": member.url,
    }
    child |= {BY_NAME[name].env: value for name, value in settings.items()}
    return child


class DevCluster:
    """Three child processes. As a context manager it leaves none behind."""

    def __init__(
        self,
        members: tuple[Member, ...],
        directory: DevDirectory,
        *,
        command: tuple[str, ...] = (sys.executable, "-m", "registry", "serve"),
    ) -> None:
        self.members = members
        self._directory = directory
        self._command = command
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lifeline = -1

    def __enter__(self) -> "DevCluster":
        watched, self._lifeline = os.pipe()
        try:
            for member in self.members:
                self._children[member.node_id] = self._spawn(member, watched)
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(watched)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def states(self) -> tuple[MemberState, ...]:
        """Ask every replica how it is; takes at most POLL_TIMEOUT_S for each."""
        return tuple(self._state(member) for member in self.members)

    def stop(self, *, patience_s: float = STOP_S) -> None:
        """SIGTERM to all, followers first; after ``patience_s`` kill what remains."""
        for member in self._leader_last():
            self._signal(member.node_id, signal.SIGTERM)
        deadline_s = time.monotonic() + patience_s
        try:
            for child in self._children.values():
                try:
                    child.wait(timeout=max(0.0, deadline_s - time.monotonic()))
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        finally:
            # A second ctrl-C ends the waiting: nothing may be left even then.
            for child in self._children.values():
                if child.poll() is None:
                    child.kill()
                    child.wait()
            if self._lifeline >= 0:
                os.close(self._lifeline)
                self._lifeline = -1

    def _spawn(self, member: Member, watched: int) -> subprocess.Popen[bytes]:
        with self._directory.log(member.node_id).open("ab") as log:
            return subprocess.Popen(
                [*self._command, "--exit-with-parent", str(watched)],
                env=child_environment(
                    member, self.members, self._directory, os.environ
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(watched,),
                start_new_session=True,
            )

    def _state(self, member: Member) -> MemberState:
        child = self._children[member.node_id]
        exit_code = child.poll()
        cluster = _cluster_of(member) if exit_code is None else None
        return MemberState(member, child.pid, exit_code, cluster)

    def _leader_last(self) -> list[Member]:
        """Stop the leader last, so that leadership moves once at most."""
        running = [m for m in self.members if m.node_id in self._children]
        leaders = {
            m.node_id for m in running if (_cluster_of(m) or {}).get("role") == "leader"
        }
        return sorted(running, key=lambda m: m.node_id in leaders)

    def _signal(self, node_id: str, number: signal.Signals) -> None:
        child = self._children[node_id]
        if child.poll() is None:
            child.send_signal(number)


def _cluster_of(member: Member) -> Mapping[str, object] | None:
    try:
        status, body = request(member.url, "GET", "/cluster", timeout_s=POLL_TIMEOUT_S)
        parsed = json.loads(body) if status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _exit_text(code: int) -> str:
    if code >= 0:
        return str(code)
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
