"""Everything that the README shows, executed (with other ports and folders)."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from registry.commands.configuration import reference_lines
from tests.support.process_cluster import ProcessCluster
from tests.support.process_http import try_ask
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.readme import TOP, Shell, block_with, blocks, replaced
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

READY_S = 30.0


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return a shell in a folder of its own."""
    folder = tmp_path / "shell"
    folder.mkdir()
    return Shell(folder)


def ports_of(cluster: ProcessCluster) -> list[str]:
    """Return host:port of each replica."""
    return [replica.url.removeprefix("http://") for replica in cluster]


def test_the_two_commands_of_the_quick_start_exist() -> None:
    """`make run` begins the local cluster, `make test` runs the tests."""
    for line in block_with("bash", "make run").splitlines():
        command = line.partition("#")[0].split()
        plan = subprocess.run(
            [*command, "--dry-run"], cwd=TOP, capture_output=True, text=True, check=True
        )
        expected = "registry dev" if command[1] == "run" else "pytest"
        assert expected in plan.stdout


def test_the_curl_lines_register_through_one_replica_and_find_through_another(
    cluster: ProcessCluster, shell: Shell
) -> None:
    """The first thing a newcomer tries."""
    a, b, c = ports_of(cluster)
    script = block_with("bash", "curl http://localhost:8100/register")
    script = script.replace("curl ", "curl --fail --silent --show-error -w '\\n' ")
    words = {"localhost:8100": a, "localhost:8110": b, "localhost:8120": c}
    registered, found, state = shell.run(replaced(script, words)).splitlines()

    assert orjson.loads(registered)["status"] == "registered"
    (instance,) = orjson.loads(found)["instances"]
    assert instance["service_id"] == orjson.loads(registered)["service_id"]
    assert len(orjson.loads(state)["members"]) == 3


def test_the_python_example_registers_beats_finds_and_leaves(
    cluster: ProcessCluster, shell: Shell
) -> None:
    """Five lines of requests are a whole client."""
    words = {"localhost:8100": ports_of(cluster)[0]}
    script = replaced(block_with("python", "import requests"), words)
    script += "\nassert found[0]['service_id'] == service_id, found\n"
    program = shell.folder / "example.py"
    program.write_text(script)
    shell.run(f"{sys.executable} {program}")

    reply = try_ask(cluster["b"].url, "/services/billing?consistent=true")
    assert reply is not None
    assert reply["instances"] == []


def test_the_command_line_examples_work(cluster: ProcessCluster, shell: Shell) -> None:
    """Status, services, register, deregister, as shown."""
    script = block_with("bash", "registry status")
    lines = [line.partition("#")[0].strip() for line in script.splitlines()]
    url = ",".join(cluster.urls)
    service_id = ""
    for line in sorted(lines, key=lambda text: "register my" not in text):
        output = shell.run(
            line.replace("SERVICE_ID", service_id), SERVICE_REGISTRY_URL=url
        )
        if "register my-service" in line:
            service_id = output.split()[-1]
            assert service_id

    assert "my-service" not in shell.run("registry services", SERVICE_REGISTRY_URL=url)


def test_three_machines_found_a_cluster_with_a_key(
    tmp_path: Path, shell: Shell
) -> None:
    """The deployment section, with three folders for three machines."""
    shell.run(block_with("bash", "registry keygen"))
    ports = ReservedPorts()
    raft = {node_id: ports.take() for node_id in "abc"}
    http = {node_id: ports.take() for node_id in "abc"}
    script = block_with("bash", "export SERVICE_REGISTRY_NODE_ID=a")
    running = []
    try:
        for node_id in "abc":
            own = replaced(
                script,
                {
                    "NODE_ID=a ": f"NODE_ID={node_id} ",
                    "host1:8101": f"{LOOPBACK}:{raft['a']}",
                    "host2:8101": f"{LOOPBACK}:{raft['b']}",
                    "host3:8101": f"{LOOPBACK}:{raft['c']}",
                    "/var/lib/service-registry": str(tmp_path / node_id),
                    "\nregistry serve": "\nexec registry serve",
                },
            )
            log = tmp_path / f"{node_id}.log"
            bind = f"{LOOPBACK}:{http[node_id]}"
            running.append(shell.begin(own, log, SERVICE_REGISTRY_BIND=bind))
        for port in http.values():
            wait_until(
                lambda port=port: is_ready(f"http://{LOOPBACK}:{port}"),  # type: ignore[misc]
                "a ready replica",
                deadline_s=READY_S,
            )
    finally:
        for process in running:
            process.terminate()
        codes = [process.wait(timeout=20) for process in running]
        ports.close()

    assert codes == [0, 0, 0]


def is_ready(url: str) -> bool:
    """Tell if the replica says so."""
    reply = try_ask(url, "/ready")
    return reply is not None and reply.status == 200


def test_the_settings_table_is_the_programs_own() -> None:
    """A setting that the README does not list does not exist for its reader."""
    text = (TOP / "README.md").read_text()
    table = text.partition("config reference` -->\n")[2].partition("<!-- /settings")[0]

    assert table.splitlines() == list(reference_lines())


def test_every_block_is_executed_by_a_test_here() -> None:
    """A new block must come with its test."""
    assert len(blocks("bash")) == 5
    assert len(blocks("python")) == 1
