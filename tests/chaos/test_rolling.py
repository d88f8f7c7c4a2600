"""One replica after the other, restarted or upgraded, under load: nobody notices."""

import http.client
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.chaos.beds import container_engine
from tests.chaos.beds.containers import ContainerBed
from tests.support import newer_registry
from tests.support.background import Background
from tests.support.process_duties import listed, register, wait_listed
from tests.support.process_http import Reply, ask
from tests.support.process_load import Load
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.slow]

STEADY = 5
"""Instances that are there all the while."""
WRITES = 50
"""Seen acknowledged between two steps."""
NEWER_IMAGE = "service-registry-newer:test"


class Reads(Background):
    """Reads one list from one replica without end, and keeps what was not right."""

    def __init__(self, url: str) -> None:
        super().__init__("reads")
        self.wrong: list[str] = []
        """Answers that were untrue, at any time."""
        self.failed_s: list[float] = []
        """When there was no list."""
        self.count = 0
        self._url = url

    def run(self) -> None:
        """See Background."""
        while not self.is_over:
            self._read()
            self.count += 1
            self.pause(0.01)

    def failed(self, *, but: tuple[float, float]) -> int:
        """Return how many reads failed, outside a span."""
        return sum(not but[0] <= at_s <= but[1] for at_s in self.failed_s)

    def _read(self) -> None:
        try:
            reply = ask(self._url, "/services/steady", timeout_s=2.0)
        except (OSError, http.client.HTTPException):
            self.failed_s.append(time.monotonic())
            return
        if reply.status != 200:
            self.failed_s.append(time.monotonic())
            return
        found = reply["instances"]
        assert isinstance(found, list)
        if len(found) != STEADY:
            self.wrong.append(f"{len(found)} instances")


class Rolling:
    """Load on all replicas, reads at each, and when each was away."""

    def __init__(self, bed: ContainerBed) -> None:
        self.load = Load(
            [bed.url(n) for n in bed.node_ids], per_s=90.0, writers=6, leave_each=4
        )
        self.reads = {n: Reads(bed.url(n)) for n in bed.node_ids}
        self.away_s: dict[str, tuple[float, float]] = {}

    @contextmanager
    def away(self, bed: ContainerBed, node_id: str) -> Iterator[None]:
        """Note that a replica goes, and wait until it is back and all work."""
        began_s = time.monotonic()
        yield
        bed.wait_ready()
        self.away_s[node_id] = (began_s, time.monotonic())
        self.load.wait_acknowledged(WRITES)

    def judge(self, bed: ContainerBed) -> None:
        """Nothing is lost, nobody read what was untrue, nobody failed at the others."""
        for node_id, reads in self.reads.items():
            assert reads.count > 100
            assert reads.wrong == []
            assert reads.failed(but=self.away_s[node_id]) == 0
            assert reads.failed_s, "it was away, and the reads did not notice"
            self.load.verify(bed.url(node_id))
        first_s = min(began_s for began_s, _ in self.away_s.values())
        assert self.load.longest_gap_s(first_s) < 2.0


@contextmanager
def rolling(bed: ContainerBed) -> Iterator[Rolling]:
    """Run load and reads; at the end, judge."""
    while len(listed(bed.url("a"), "steady")) < STEADY:
        host = f"10.1.1.{len(listed(bed.url('a'), 'steady'))}"
        register(bed.url("a"), "steady", host, 80, ttl_seconds=0)
    ids = listed(bed.url("a"), "steady")
    wait_listed([bed.url(node_id) for node_id in bed.node_ids], "steady", ids)
    under_way = Rolling(bed)
    with ExitStack() as running:
        running.enter_context(under_way.load)
        for reads in under_way.reads.values():
            running.enter_context(reads)
        under_way.load.wait_acknowledged(WRITES)
        yield under_way
    under_way.judge(bed)


@pytest.fixture(scope="module")
def newer_image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the next version's image from this one's."""
    container_engine.build_images()
    folder = tmp_path_factory.mktemp("newer")
    source = Path(newer_registry.__file__)
    shutil.copy(source, folder)
    command = f'["python", "/opt/{source.name}"]'
    (folder / "Dockerfile").write_text(
        f"FROM {container_engine.IMAGE}\n"
        f"COPY {source.name} /opt/\n"
        f'ENTRYPOINT {command}\nCMD ["serve"]\n'
    )
    container_engine.build(NEWER_IMAGE, folder)
    return NEWER_IMAGE


def test_a_rolling_restart_is_noticed_by_nobody(bed: ContainerBed) -> None:
    """Each is stopped as an orchestrator does it, and the next when it is back."""
    with rolling(bed) as under_way:
        for node_id in bed.node_ids:
            with under_way.away(bed, node_id):
                bed.stop(node_id)
                bed.start(node_id)


def drain(bed: ContainerBed, node_id: str, number: int) -> Reply:
    """Ask for what needs the newer schema in the newer version."""
    path = f"/hosts/10.2.2.{number}/drain"
    return ask(bed.url(node_id), path, method="POST", body={"reason": "a test"})


def test_a_rolling_upgrade_is_noticed_by_nobody(
    bed: ContainerBed, newer_image: str
) -> None:
    """Old and new run together; what is new waits for the last of the old."""
    for number in range(3):
        register(bed.url("a"), "drained", f"10.2.2.{number}", 80, ttl_seconds=0)
    with rolling(bed) as under_way:
        for node_id in bed.node_ids:
            with under_way.away(bed, node_id):
                bed.replace(node_id, newer_image)
            if node_id != bed.node_ids[-1]:
                assert drain(bed, node_id, 0)["code"] == "upgrade_pending"
        assert drain(bed, "a", 0).status == 200
        under_way.load.wait_acknowledged(WRITES)

    # Back again: the log holds what the old version does not know.
    bed.replace("b", container_engine.IMAGE)
    wait_until(lambda: bed.nodes["b"].has_ended, "the end of the old version")
    assert b"upgrade this replica" in bed.nodes["b"].logs
    bed.nodes["b"].make(newer_image)
    bed.wait_ready()
    under_way.load.verify(bed.url("b"))
