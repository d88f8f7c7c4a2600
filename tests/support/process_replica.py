"""One `registry serve` as a process: started by settings, ended by its pid."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import orjson

from tests.support.process_http import Reply, try_ask

TOP = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "registry", "serve")
END_S = 15.0
"""A graceful stop is promised within 10 s."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return ours without what would configure a replica, and ``settings``.

    Nor is it told to keep no bytecode: each start would compile every module, which an
    installed one does not.
    """
    left = ("SERVICE_", "HEALTH_CHECK_", "HANA_", "KUBERNETES_", "PYTHONDONTWRITE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left)}
    return {**kept, **settings}


class ReplicaProcess:
    """One replica that can be started, killed and started again.

    It ends with this process, however that ends: it holds one end of a pipe.
    ``settings`` are environment names, ``arguments`` follow the command; all may be
    changed between two starts.
    """

    def __init__(
        self, node_id: str, url: str, settings: dict[str, str], log: Path
    ) -> None:
        self.node_id = node_id
        self.url = url
        self.settings = settings
        self.command: tuple[str, ...] = COMMAND
        self.arguments: tuple[str, ...] = ()
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1

    def start(self) -> None:
        """Start the process; returns at once."""
        assert not self.is_running
        self._close_lifeline()
        watched, self._lifeline = os.pipe()
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [
                        *self.command,
                        *self.arguments,
                        "--exit-with-parent",
                        str(watched),
                    ],
                    cwd=TOP,
                    env=environment(self.settings),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(watched,),
                    start_new_session=True,
                )
        finally:
            os.close(watched)

    @property
    def is_running(self) -> bool:
        """Whether the process is there, stopped by a signal or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL; returns when the process is gone."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, *, deadline_s: float = END_S) -> int:
        """Return the exit code. TimeoutExpired if the process does not end."""
        assert self._process is not None
        code = self._process.wait(timeout=deadline_s)
        self._close_lifeline()
        return code

    def end(self) -> None:
        """Leave nothing behind."""
        if self.is_running:
            self.kill()
        self._close_lifeline()

    def _close_lifeline(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    # -- what it says

    def get(self, path: str, *, timeout_s: float = 1.0) -> Reply | None:
        """Ask it; None when there is no answer."""
        return try_ask(self.url, path, timeout_s=timeout_s) if self.is_running else None

    def state(self) -> dict[str, object]:
        """Return its answer to ``/cluster``; empty when there is none."""
        reply = self.get("/cluster")
        return reply.json if reply is not None and reply.status == 200 else {}

    @property
    def is_ready(self) -> bool:
        """Whether ``/ready`` answers 200."""
        reply = self.get("/ready")
        return reply is not None and reply.status == 200

    def logged(self, message: str) -> list[dict[str, object]]:
        """Return its log lines with this message."""
        found = []
        for line in self.log.read_bytes().splitlines():
            try:
                entry = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # the end of a killed process, or a traceback
            if entry.get("message") == message:
                found.append(entry)
        return found
