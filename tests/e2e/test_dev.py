"""Shown 1: what `make run` starts serves the seed's client, and leaves no trace."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.commands.dev_cluster import HOST, plan, taken_ports
from tests.support.process_http import try_ask
from tests.support.process_ports import ReservedPorts
from tests.support.process_replica import TOP, environment
from tests.support.seed_client import seed_client
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

COMMAND = (sys.executable, "-m", "registry", "dev")


def free_base() -> int:
    """Return a port from which all that `registry dev` uses are free."""
    for _ in range(100):
        ports = ReservedPorts()
        base = ports.take()
        ports.close()
        if base < 65_500 and not taken_ports(plan(base)):
            return base
    raise AssertionError("no six free ports")


@contextmanager
def dev(base: int, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `registry dev` until it says that it is ready."""
    out = data.with_suffix(".out")
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [*COMMAND, "--base-port", str(base), "--data-dir", str(data)],
            cwd=TOP,
            env=environment({}),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(
            lambda: b"ready, " in out.read_bytes() or process.poll() is not None,
            "a ready cluster",
        )
        assert process.poll() is None, out.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30.0)
        # Its children end by themselves: no test may begin while one is left.
        wait_until(lambda: not family(data), "the children's end")


def family(data: Path) -> list[int]:
    """Return the pids of the replicas whose data lies in the folder (Linux)."""
    found = []
    mark = f"SERVICE_REGISTRY_DATA_DIR={data}/".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environ.read_bytes():
                found.append(int(environ.parent.name))
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


def use(urls: list[str], port: int) -> None:
    """Register, find, renew and leave as the seed's document shows it."""
    one, other = seed_client(urls[0]), seed_client(urls[1])
    service_id = one.register("example", "localhost", port)
    found = other.discover("example")
    assert [i["service_id"] for i in found] == [service_id]
    assert (found[0]["host"], found[0]["port"]) == ("localhost", port)
    one.heartbeat()
    one.deregister()
    assert one.discover("example") == []


def test_the_seeds_client_uses_the_local_cluster_and_ctrl_c_ends_it(
    tmp_path: Path,
) -> None:
    """Found through another replica than it registered at; exit 0, no orphan."""
    base = free_base()
    data = tmp_path / "dev"
    urls = [f"http://{HOST}:{base + 10 * i}" for i in range(3)]
    with dev(base, data) as process:
        children = family(data)
        assert len(children) == 3
        for at in range(3):
            use(urls[at:] + urls[:at], 8000 + at)

        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        code = process.wait(20.0)

        assert code == 0
        assert family(data) == []
    assert [try_ask(url, "/health") for url in urls] == [None] * 3


def test_what_was_registered_is_there_at_the_next_start(tmp_path: Path) -> None:
    """Durable by default; and a killed parent leaves no child behind."""
    base = free_base()
    data = tmp_path / "dev"
    url = f"http://{HOST}:{base}"
    with dev(base, data) as process:
        service_id = seed_client(url).register("kept", "localhost", 80)

        process.kill()
        process.wait(20.0)

        wait_until(lambda: family(data) == [], "the children's end")
    with dev(base, data):
        found = seed_client(url).discover("kept")

        assert [i["service_id"] for i in found] == [service_id]
