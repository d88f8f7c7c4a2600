"""The loads of `bench/`, on a server that answers as each test wants."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from bench.load.closed import ClosedLoop, run_closed
from bench.load.run import run
from bench.load.spec import Load
from bench.load.stream import Stream, request
from bench.peers.peer import Setting
from bench.peers.table import opened

pytestmark = pytest.mark.e2e

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
READ = request("GET", "/")
STALL_S = 0.5

Answer = Callable[[int], bytes]
"""What a server says to its n-th request; empty: it closes the connection."""


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Run a server in threads; give its URL."""
    lock = threading.Lock()
    asked = 0

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            """Answer until the client goes."""
            nonlocal asked
            connection: socket.socket = self.request
            while connection.recv(65536):
                with lock:
                    number, asked = asked, asked + 1
                    said = answer(number)
                if not said:
                    return
                connection.sendall(said)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


def load(url: str, *, rate_per_s: float | None = None, seconds: float = 0.3) -> Load:
    """Return a small load."""
    return Load(
        urls=(url,),
        stream=Stream((READ,)),
        connections=2,
        seconds=seconds,
        rate_per_s=rate_per_s,
    )


def test_a_stall_counts_for_each_request_that_it_delayed() -> None:
    """An open loop: half of the requests were due while the server stood still."""

    def answer(number: int) -> bytes:
        if number == 20:
            time.sleep(STALL_S)
        return GOOD

    with server(answer) as url:
        (found,) = run(load(url, rate_per_s=100.0, seconds=1.0))

    assert found.requests == 100
    assert found.errors == 0
    assert found.latency_us["max"] >= STALL_S * 0.99e6
    assert found.latency_us["p90"] >= STALL_S * 0.5e6


def test_what_is_beside_an_open_loop_is_told_beside_it() -> None:
    """Two rates in one process, each with latencies of its own."""
    with server(lambda _: GOOD) as url:
        beside = (load(url, rate_per_s=50.0),)
        whole = msgspec.structs.replace(load(url, rate_per_s=100.0), beside=beside)
        (found,) = run(whole)

    assert found.requests == 30
    assert [one.requests for one in found.beside] == [15]


def test_a_closed_loop_tells_refusals_as_errors() -> None:
    """They are answered fast, and would be taken for throughput."""
    with server(lambda number: BAD if number % 2 else GOOD) as url:
        found = run_closed(load(url))

    assert found.requests > 0
    assert found.errors > 0
    assert abs(found.requests - found.errors) <= 3


def test_a_closed_loop_goes_on_over_the_connections_that_it_has() -> None:
    """What it costs a server to take a connection is no part of the next run."""
    with server(lambda number: b"" if number == 0 else GOOD) as url:
        loop = ClosedLoop(load(url))
        first, second = loop.run(0.2), loop.run(0.2)
        loop.close()

    assert (first.errors, second.errors) == (1, 0)
    assert second.requests > 0


def test_a_connection_that_was_closed_is_made_again() -> None:
    """A replica that restarts may not end the load."""
    with server(lambda number: b"" if number == 5 else GOOD) as url:
        found = run_closed(load(url))

    assert found.errors == 1
    assert found.requests > 5


def test_the_other_server_is_asked_when_one_is_gone() -> None:
    """As clients do that know of three replicas."""
    with socket.socket() as nobody, server(lambda _: GOOD) as url:
        nobody.bind(("127.0.0.1", 0))  # reserved, and not listening
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        both = msgspec.structs.replace(load(url), urls=(gone, url))
        found = run_closed(both)

    assert found.requests > 0


def test_without_wrk_our_own_generator_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`make bench` needs nothing that is not in the dependencies."""
    monkeypatch.setenv("PATH", "")
    with server(lambda _: GOOD) as url:
        (found,) = run(load(url))

    assert found.generator == "ours"
    assert found.requests > 0
    assert sum(found.rate_by_second) > 0


def test_peers_that_are_not_here_are_told_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Everybody can measure; with what is installed."""
    monkeypatch.setenv("PATH", "")
    setting = Setting(folder=tmp_path, cores=frozenset({0}), named={})
    with opened(["nginx", "etcd", "seed", "consul"], setting) as (here, absent):
        assert here == []
        assert len(absent) == 4
