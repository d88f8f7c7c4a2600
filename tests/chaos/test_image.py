"""The image, run alone as a careful operator would: what it is, and what it lacks."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from testcontainers.core.container import DockerContainer

from tests.chaos.beds import container_engine
from tests.chaos.beds.container_ground import HTTP_PORT
from tests.chaos.beds.container_node import harden
from tests.support.process_duties import listed, register
from tests.support.process_http import try_ask
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.slow]

STOP_S = 10.0


class Lone:
    """One container of the image, without a single setting."""

    def __init__(self, container: Any, url: str) -> None:
        self.container = container
        self.url = url

    def run(self, *command: str, user: str = "") -> tuple[int, str]:
        """Run a command inside; return how it ended and what it said."""
        code, output = self.container.exec_run(list(command), user=user)
        return int(code), output.decode(errors="replace")

    def wait_ready(self) -> None:
        """Wait until it may be asked."""

        def is_ready() -> bool:
            reply = try_ask(self.url, "/ready")
            return reply is not None and reply.status == 200

        wait_until(is_ready, "a ready replica")


@pytest.fixture(scope="module")
def lone() -> Iterator[Lone]:
    """Run it for the tests of this module."""
    container_engine.build_images()
    run = f"registry-{os.urandom(4).hex()}"
    ports = ReservedPorts()
    port = ports.take()
    made = DockerContainer(container_engine.IMAGE).with_name(run)
    made.ports[f"{HTTP_PORT}/tcp"] = (LOOPBACK, port)  # type: ignore[assignment]
    harden(made, labels=container_engine.labels(run))
    try:
        made.start()
        alone = Lone(made.get_wrapped_container(), f"http://{LOOPBACK}:{port}")
        alone.wait_ready()
        yield alone
    finally:
        made.stop()
        ports.close()


def test_the_engine_finds_it_healthy(lone: Lone) -> None:
    """By its own check, which needs curl inside."""

    def health() -> str:
        lone.container.reload()
        return str(lone.container.attrs["State"]["Health"]["Status"])

    wait_until(lambda: health() == "healthy", "health", deadline_s=15.0)


def test_it_is_nobody_and_may_do_nothing(lone: Lone) -> None:
    """The process that serves, not only what the image says of it."""
    _, said = lone.run("cat", "/proc/1/status")
    status = dict(line.split(":\t") for line in said.splitlines() if ":\t" in line)

    assert status["Uid"].split() == ["10001"] * 4
    assert status["Gid"].split() == ["10001"] * 4
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert lone.container.image.attrs["Config"]["User"] == "10001:10001"


def test_it_writes_to_its_data_alone(lone: Lone) -> None:
    """The root file system is read-only all the while."""
    places = ("/", "/app", "/opt/venv", "/etc", "/var/tmp")
    refused = [lone.run("touch", f"{place}/x") for place in places]

    assert all(code != 0 for code, _ in refused)
    assert "Read-only file system" in refused[-1][1]
    assert lone.run("sh", "-c", "touch /tmp/x && ls /data/* > /dev/null")[0] == 0


def test_no_compiler_and_no_installer_is_inside(lone: Lone) -> None:
    """What is not there cannot be turned against us."""
    tools = ("gcc", "cc", "g++", "c++", "clang", "ld", "as", "make")
    found = [tool for tool in tools if lone.run("sh", "-c", f"command -v {tool}")[1]]
    library = "ls /opt/venv/lib/python3*/site-packages"
    packages = lone.run("sh", "-c", library)[1].split()

    assert found == []
    assert "registry" in packages
    assert {"pip", "setuptools"} & set(packages) == set()


def test_no_address_of_a_package_index_is_inside(lone: Lone) -> None:
    """An image must not tell where it was built."""
    image = lone.container.image
    steps = [str(step["CreatedBy"]) for step in image.history()]
    (first,) = (at for at, step in enumerate(steps) if "image.title=" in step)
    told = json.dumps([image.attrs["Config"], steps[: first + 1]])
    files = ("-name", "pip*.conf", "-o", "-name", ".netrc")

    assert "://" not in told.replace("http://127.0.0.1:8100/health", "")
    assert lone.run("find", "/etc", "/opt", "/app", *files, user="root") == (0, "")


def test_the_command_line_is_inside(lone: Lone) -> None:
    """Who may enter the container can ask from there."""
    code, said = lone.run("registry", "status", "--output", "json")

    assert (code, "leader" in said) == (0, True), said


def test_it_ends_well_on_sigterm_and_keeps_what_was_written(lone: Lone) -> None:
    """Within the ten seconds that the engine waits before it kills."""
    kept = register(lone.url, "kept", "10.0.0.1", 80, ttl_seconds=0)
    began_s = time.monotonic()

    lone.container.kill("SIGTERM")
    ended = lone.container.wait(timeout=STOP_S)

    assert ended["StatusCode"] == 0
    assert time.monotonic() - began_s < STOP_S
    lone.container.start()
    lone.wait_ready()
    assert listed(lone.url, "kept") == {kept}
