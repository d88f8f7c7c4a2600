"""The clients of the chaos runs, before any fault is theirs to judge."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from tests.chaos.evidence import (
    DONE,
    REFUSED,
    UNKNOWN,
    Call,
    Ending,
    Evidence,
    Fault,
    Life,
    Look,
    Record,
    Recorder,
    Run,
)
from tests.chaos.run import cluster_settings
from tests.chaos.workload import Workload, record_endings
from tests.chaos.workload.calls import NO_CONNECTION, NOT_THERE, Client, Instance, Scene
from tests.chaos.workload.web import open_session
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TTL_S = 1.5
SETTINGS = cluster_settings(TTL_S)
SILENT_SEED = 2
"""With it one of those that beat goes silent, early."""
SEED = 1
"""With it nobody does."""
OPS = ("register", "deregister", "heartbeat", "list")


@dataclass(frozen=True)
class Place:
    """What of a bed the clients use."""

    urls: dict[str, str]
    service_host: str = LOOPBACK
    node_ids: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "node_ids", tuple(self.urls))

    def url(self, node_id: str) -> str:
        """Return where its HTTP answers."""
        return self.urls[node_id]


def place(cluster: ProcessCluster) -> Place:
    """Return where a cluster's replicas are, running or not."""
    return Place({replica.node_id: replica.url for replica in cluster})


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[ProcessCluster]:
    """Run three replicas with the settings of the chaos runs."""
    with process_cluster(tmp_path, settings=lambda _: SETTINGS) as running:
        yield running


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """Record into a file of this test."""
    recorder = Recorder(tmp_path / "evidence.jsonl")
    yield recorder
    recorder.close()


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """Every test here ends all that it began, whatever died meanwhile."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def by_client(calls: list[Call]) -> dict[str, list[Call]]:
    """Return each client's calls, in the order of their records."""
    found: dict[str, list[Call]] = {}
    for call in calls:
        found.setdefault(call.client, []).append(call)
    return found


def assert_sequential(evidence: Evidence) -> None:
    """Check that no client began a call before its last one was over."""
    for client, calls in by_client(evidence.of(Call)).items():
        for call, following in pairwise(calls):
            assert call.returned_s <= following.invoked_s, client


def assert_equal(endings: list[Ending], node_ids: tuple[str, ...]) -> None:
    """Check that there is one of each replica, and that they differ in nothing."""
    assert tuple(ending.replica for ending in endings) == node_ids
    first, *others = (
        msgspec.structs.replace(ending, at_s=0.0, replica="") for ending in endings
    )
    assert first.index > 0
    assert all(other == first for other in others)


def test_without_faults_every_call_is_answered(
    replicas: ProcessCluster, recorder: Recorder
) -> None:
    """What else would be seen under faults, nobody could tell from a fault."""
    at = place(replicas)
    evidence = recorder.evidence

    def has_gone_silent() -> bool:
        return any(life.event == "silent" for life in evidence.of(Life))

    with Workload(at, recorder, seed=SILENT_SEED, ttl_s=TTL_S) as workload:
        workload.wait_acknowledged(300)
        wait_until(has_gone_silent, "one that goes silent")
        wait_until(lambda: len(evidence.of(Look)) >= 12, "looks at all replicas")
    record_endings(at, recorder, services=workload.services)

    calls = evidence.of(Call)
    assert {call.outcome for call in calls if call.op == "list"} == {DONE}
    assert {call.code for call in calls if call.outcome != DONE} == {NOT_THERE}
    assert {call.client.partition("-")[0] for call in calls if call.code} == {
        "contended"
    }
    assert_sequential(evidence)
    seen = {(call.client.partition("-")[0], call.op) for call in calls}
    assert seen == {
        *(("contended", op) for op in OPS),
        *(("kept", op) for op in ("register", "deregister")),
        *(("session", op) for op in ("register", "deregister", "list")),
        *(("beating", op) for op in ("register", "deregister", "heartbeat")),
        *(("checked", op) for op in ("register", "deregister")),
        ("reader", "list"),
    }
    assert workload.reads == sum(call.op == "list" for call in calls)
    assert workload.acknowledged == sum(
        call.op != "list" and call.outcome == DONE for call in calls
    )
    assert all(call.index for call in calls if call.outcome == DONE and call.service_id)
    lives = evidence.of(Life)
    for service, begun, ended in (
        ("beating", "beats", "silent"),
        ("checked", "answers", "fails"),
    ):
        of_it = [life for life in lives if life.service == service]
        assert len({life.service_id for life in of_it if life.event == begun}) == 5
        assert len({life.service_id for life in of_it if life.event == ended}) == 5
    assert {look.replica for look in evidence.of(Look)} == set(at.node_ids)
    for look in evidence.of(Look):
        assert look.role in ("leader", "follower")
        assert min(look.memory_bytes, look.open_files, look.tasks, look.index) > 0
    assert_equal(evidence.of(Ending), at.node_ids)
    ending = evidence.of(Ending)[0]
    assert set(ending.listed) == set(ending.changes) == set(workload.services)
    assert ending.listed["checked"] == ()
    assert {line[0] for line in ending.listed["beating"]} <= {"beating:0"}
    assert len(ending.listed["kept-0"]) > 5
    assert ("beating:1", "", "healthy", "registered") in ending.changes["beating"]


def test_a_killed_leader_leaves_the_evidence_whole(
    replicas: ProcessCluster, recorder: Recorder, tmp_path: Path
) -> None:
    """It ends while the replica is still dead, and the file says all of it."""
    at = place(replicas)
    evidence = recorder.evidence
    recorder.add(Run("processes", SEED, at.node_ids, TTL_S, 0.0))
    leader = replicas.leader()
    with Workload(at, recorder, seed=SEED, ttl_s=TTL_S) as workload:
        workload.wait_acknowledged(100)
        leader.kill()
        workload.wait_acknowledged(200)
    leader.start()
    replicas.wait_ready()
    record_endings(at, recorder, services=workload.services)

    assert_sequential(evidence)
    dead = [call for call in evidence.of(Call) if call.code == NO_CONNECTION]
    assert {call.replica for call in dead} == {leader.node_id}
    assert {call.outcome for call in dead} == {REFUSED}
    # Readers of the others go on; only who asked the dead one was left without answer.
    for call in evidence.of(Call):
        if call.client.startswith("reader-") and call.replica != leader.node_id:
            assert call.outcome == DONE, call
    assert_equal(evidence.of(Ending), at.node_ids)
    read = Evidence.read(tmp_path / "evidence.jsonl")
    kinds: tuple[type[msgspec.Struct], ...] = (Run, Call, Life, Fault, Look, Ending)
    for kind in kinds:
        assert read.of(kind) == evidence.of(kind)


def test_it_ends_when_no_replica_is_there(recorder: Recorder) -> None:
    """All is refused, since nothing was sent; what nobody knows is told as nothing."""
    ports = ReservedPorts()
    nobody = Place({n: f"http://{LOOPBACK}:{ports.take()}" for n in "abc"})
    evidence = recorder.evidence
    with Workload(nobody, recorder, seed=SEED, ttl_s=TTL_S) as workload:
        wait_until(lambda: len(evidence.of(Call)) >= 100, "a hundred calls")
    record_endings(nobody, recorder, services=workload.services, deadline_s=0.1)
    ports.close()

    assert {(call.outcome, call.code) for call in evidence.of(Call)} == {
        (REFUSED, NO_CONNECTION)
    }
    assert (workload.acknowledged, workload.reads) == (0, 0)
    assert evidence.of(Life) == []
    assert [ending.index for ending in evidence.of(Ending)] == [0, 0, 0]


class FullDisk(Recorder):
    """Fails after so many records."""

    left = 50

    def add(self, record: Record) -> None:
        """See Recorder."""
        self.left -= 1
        if self.left < 0:
            raise OSError("no space left")
        super().add(record)


def test_what_fails_in_a_client_is_raised(tmp_path: Path) -> None:
    """A client that has ended unseen would leave a run that finds nothing wrong."""
    recorder = FullDisk(tmp_path / "evidence.jsonl")
    ports = ReservedPorts()
    nobody = Place({n: f"http://{LOOPBACK}:{ports.take()}" for n in "abc"})
    try:
        workload = Workload(nobody, recorder, seed=SEED, ttl_s=TTL_S)
        with pytest.raises(ExceptionGroup) as raised, workload:
            workload.wait_acknowledged(1)
    finally:
        recorder.close()
        ports.close()

    assert raised.group_contains(OSError, match="no space left")


async def test_a_request_whose_connection_breaks_is_not_sent_again(
    recorder: Recorder,
) -> None:
    """Else a deregister that was carried out would be answered with a 404."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    at = Place({"a": f"http://{LOOPBACK}:{port}"})
    scene = Scene(at, recorder, SEED, TTL_S, lambda: False)
    one = Instance("gone", "gone:1", "10.0.0.1", 80)
    async with server, open_session() as scene.session:
        client = Client("client", scene)
        answered = await client.deregister("a", one)
        broken = await client.deregister("a", one)

    assert answered.outcome == DONE
    assert (broken.outcome, broken.code) == (UNKNOWN, "ServerDisconnectedError")
    assert len(received) == 2
