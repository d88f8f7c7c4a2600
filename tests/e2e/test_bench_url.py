"""`--url` and `--peer`: somebody's cluster stays as it was; what is wrong is told."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.load.cores import ALL
from bench.peers.peer import Setting
from bench.peers.table import opened
from bench.results import load
from tests.e2e.test_bench_commands import bench
from tests.support.process_cluster import process_cluster
from tests.support.process_http import ask

pytestmark = pytest.mark.e2e

SOON_S = 8.0


@contextmanager
def another_web_server() -> Iterator[str]:
    """Run one that answers, and is no registry; give its URL."""
    handler = http.server.BaseHTTPRequestHandler
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


def test_a_cluster_that_was_measured_is_as_it_was(tmp_path: Path) -> None:
    """Its own service of our name, before and after; two runs do not meet."""
    data, path = tmp_path / "data", tmp_path / "run.json"
    data.mkdir()
    with process_cluster(data, size=1) as cluster:
        (url,) = cluster.urls
        theirs = {"name": "web-5", "host": "10.0.0.9", "port": 80, "ttl_seconds": 0}
        assert ask(url, "/register", method="POST", body=theirs).status == 200
        before = ask(url, "/services").json
        for _ in range(2):
            names = ("discovery", "changing", "heartbeats", "overshoot")
            ended = bench("--quick", "--url", url, "--json", str(path), *names)
            assert ended.returncode == 0, ended.stderr
            assert "ours: registers services bench-" in ended.stdout
            assert ask(url, "/services").json == before

    *measured, left_out = load(path).outcomes
    assert all(outcome.figures for outcome in measured)
    assert (left_out.figures, len(left_out.absent)) == ((), 1)


@pytest.mark.parametrize("name", ["discovery", "heartbeats", "platform"])
def test_another_web_server_is_no_cluster_of_ours(name: str) -> None:
    """One line, and no registration is sent to it."""
    with another_web_server() as url:
        ended = bench("--quick", name, "--url", url)

    assert ended.returncode == 2
    assert f"{url} answers, but is no registry" in ended.stdout
    assert "Traceback" not in ended.stderr


def test_a_peer_that_cannot_be_started_is_told_soon(tmp_path: Path) -> None:
    """Whoever named it wants to know why; the others are measured."""
    broken = tmp_path / "broken"
    broken.write_text("no program")
    broken.chmod(0o755)
    named = {
        "nginx": "/bin/false",
        "etcd": str(broken),
        "seed": "/nonexistent",
        "consul": "http://127.0.0.1:1",
        "other": "/bin/true",
    }
    setting = Setting(folder=tmp_path, cores=ALL, named=named)
    began_s = time.monotonic()
    with opened([*named, "idle"], setting) as (here, absent):
        assert [peer.name for peer in here] == ["idle"]

    assert time.monotonic() - began_s < SOON_S
    assert [why.partition(":")[0] for why in absent] == list(named)
    assert "ended at once" in absent[0]
