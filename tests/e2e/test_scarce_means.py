"""Descriptors and readers of logs run out; a replica does its work all the same."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.process_http import ask, metric, try_ask
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.process_replica import COMMAND, END_S, TOP, environment
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

DESCRIPTORS = 256
CROWD = 300
LOGGED_LINES = 400
"""Together far more than a pipe holds."""


@contextmanager
def replica(folder: Path, stdout: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a replica that may open few files and logs to ``stdout``."""
    ports = ReservedPorts()
    bind = f"{LOOPBACK}:{ports.take()}"
    settings = {
        "SERVICE_REGISTRY_BIND": bind,
        "SERVICE_REGISTRY_DATA_DIR": str(folder / "data"),
    }
    limited = ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh", *COMMAND]
    process = subprocess.Popen(
        limited, cwd=TOP, env=environment(settings), stdout=stdout
    )
    url = f"http://{bind}"
    try:
        wait_until(lambda: try_ask(url, "/ready") is not None, "an answer")
        wait_until(lambda: ask(url, "/ready").status == 200, "readiness")
        yield process, url
    finally:
        process.kill()
        process.wait()
        ports.close()


def register(url: str, n: int) -> int:
    """Register an instance with a long name; return the answer's status."""
    body = {"name": "x" * 255, "host": f"h{n}", "port": 80}
    return ask(url, "/register", method="POST", body=body).status


def test_a_reader_of_the_logs_that_does_not_read_stops_nothing(tmp_path: Path) -> None:
    """A log shipper that hangs must cost log lines alone."""
    reading, writing = os.pipe()
    try:
        with replica(tmp_path, writing) as (process, url):
            for n in range(LOGGED_LINES):
                assert register(url, n) == 200
            process.send_signal(signal.SIGTERM)

            assert process.wait(END_S) == 0
    finally:
        os.close(reading)
        os.close(writing)


def test_a_crowd_of_clients_leaves_the_descriptors_that_a_replica_needs(
    tmp_path: Path,
) -> None:
    """Else it could not begin the next file of its log, and would have to end."""
    with (
        (tmp_path / "log").open("wb") as log,
        replica(tmp_path, log.fileno()) as (
            process,
            url,
        ),
    ):
        host, port = url.removeprefix("http://").split(":")
        crowd = [socket.create_connection((host, int(port))) for _ in range(CROWD)]
        descriptors = Path(f"/proc/{process.pid}/fd")
        if descriptors.exists():
            assert len(list(descriptors.iterdir())) < DESCRIPTORS - 100
        for client in crowd:
            client.close()
        wait_until(lambda: try_ask(url, "/health") is not None, "a place")

        assert metric(url, "registry_connections_refused_total") >= CROWD / 2
        assert register(url, 1) == 200


def test_a_replica_ends_in_time_whatever_its_clients_do(tmp_path: Path) -> None:
    """One that has asked and does not read, and one that does not end its request."""
    with (
        (tmp_path / "log").open("wb") as log,
        replica(tmp_path, log.fileno()) as (
            process,
            url,
        ),
    ):
        for n in range(LOGGED_LINES):
            assert register(url, n) == 200
        host, port = url.removeprefix("http://").split(":")
        with socket.socket() as client, socket.socket() as slow:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for one in (client, slow):
                one.connect((host, int(port)))
            get = f"GET /services/{'x' * 255} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            client.sendall(get * 100)
            slow.sendall(b"POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n")
            wait_until(
                lambda: metric(url, "registry_requests_total") > LOGGED_LINES + 3,
                "the request",
            )
            began_s = time.monotonic()
            process.send_signal(signal.SIGTERM)

            assert process.wait(END_S) == 0
            assert time.monotonic() - began_s < 7.0
