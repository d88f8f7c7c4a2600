"""Shown 6: a stranger at the Raft port has no effect but a counter and a log line."""

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from cluster.links.framing import framed
from cluster.links.keys import generate_key, parse_keys, read_key_file
from cluster.links.reasons import HandshakeFailed
from cluster.links.settings import NoSecurity, Security, SharedKeys
from cluster.raft.wire import INCARNATION_BYTES, Append, Forward, Message, encode
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_http import metric
from tests.support.process_load import Load
from tests.support.process_replica import ReplicaProcess
from tests.support.process_stranger import Stranger, many_descriptors
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

REJECTED = "registry_raft_links_rejected_total"
MEMBERSHIP = b"\x02"
"""The library's type of an entry that changes the members: a pickle follows."""
CROWD = 2_000


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessCluster]:
    """Run one cluster with a key for all of these: none of them may hurt it."""
    folder = tmp_path_factory.mktemp("strangers")
    with process_cluster(folder, with_key=True) as running:
        yield running


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self._path}",)


def raft_port(replica: ReplicaProcess) -> int:
    """Return where its peers connect to."""
    peers = replica.settings["SERVICE_REGISTRY_PEERS"].split(",")
    own = next(p for p in peers if p.startswith(f"{replica.node_id}="))
    return int(own.rpartition(":")[2])


def key_of(cluster: ProcessCluster) -> SharedKeys:
    """Return the cluster's own key."""
    path = next(iter(cluster)).settings["SERVICE_REGISTRY_RAFT_KEY_FILE"]
    return SharedKeys(read_key_file(Path(path)))


@contextmanager
def unimpressed(
    cluster: ProcessCluster, reason: str, *, times: int = 1
) -> Iterator[ReplicaProcess]:
    """Under load: leader and term stay, every write is done, the leader counts it."""
    leader = cluster.leader()
    term = leader.state()["term"]
    before = metric(leader.url, REJECTED)
    with Load(cluster.urls, per_s=100.0, writers=3) as load:
        load.wait_acknowledged(10)
        yield leader
        wait_until(
            lambda: metric(leader.url, REJECTED) >= before + times, "the counter"
        )
        load.wait_acknowledged(30)
    assert load.failures == []
    assert cluster.leader() is leader
    assert leader.state()["term"] == term
    load.verify(leader.url)
    lines = leader.logged("Raft connection rejected")
    assert any(str(line["reason"]).startswith(reason) for line in lines)


def test_garbage(cluster: ProcessCluster) -> None:
    """Random bytes, HTTP, and the announcement of 10 MB."""
    with unimpressed(cluster, "garbage", times=3) as leader:
        for sent in (
            os.urandom(5_000),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            (10_000_000).to_bytes(4, "big") + bytes(1_000_000),
        ):
            with Stranger(raft_port(leader)) as stranger:
                stranger.send(sent)
                stranger.wait_closed()


def test_a_pickled_bomb(cluster: ProcessCluster, tmp_path: Path) -> None:
    """The library would have run it."""
    crater = tmp_path / "crater"
    with (
        unimpressed(cluster, "garbage") as leader,
        Stranger(raft_port(leader)) as stranger,
    ):
        stranger.send(framed(pickle.dumps(Bomb(crater))))
        stranger.wait_closed()

    assert not crater.exists()


def refused(
    stranger: Stranger, own: ReplicaProcess, peer: ReplicaProcess, security: Security
) -> None:
    """Be turned away in the handshake."""
    with pytest.raises(HandshakeFailed, match="the other side says"):
        stranger.enter(own.node_id, peer.node_id, security, b"hello")


def test_someone_without_a_key(cluster: ProcessCluster) -> None:
    """Says to be a member, and proves nothing."""
    with unimpressed(cluster, "other_security") as leader:
        other = cluster.others(leader)[0]
        with Stranger(raft_port(leader)) as stranger:
            refused(stranger, other, leader, NoSecurity())


def test_someone_with_another_key(cluster: ProcessCluster) -> None:
    """A key that this cluster does not know."""
    other_key = SharedKeys(parse_keys(generate_key(), "here"))
    with unimpressed(cluster, "unknown_key") as leader:
        other = cluster.others(leader)[0]
        with Stranger(raft_port(leader)) as stranger:
            refused(stranger, other, leader, other_key)


def test_a_slow_hello(cluster: ProcessCluster) -> None:
    """Half a message, and then nothing: out at the deadline."""
    with (
        unimpressed(cluster, "handshake_late") as leader,
        Stranger(raft_port(leader)) as stranger,
    ):
        stranger.send(b"\x00\x00\x00\x40SRLK")
        stranger.wait_closed()


def test_two_thousand_connections(cluster: ProcessCluster) -> None:
    """All at once, and held: a few wait for their deadline, the others are closed."""
    with (
        unimpressed(cluster, "unauthenticated_full", times=CROWD // 2) as leader,
        many_descriptors(CROWD + 500),
        ExitStack() as crowd,
    ):
        for _ in range(CROWD):
            crowd.enter_context(Stranger(raft_port(leader)))


def dictionary(**fields: object) -> Callable[[Path], bytes]:
    """Return a frame that holds a message as the library writes it."""
    data = bytes(INCARNATION_BYTES) + msgspec.msgpack.encode(fields)
    return lambda _: data


def message(forged: Message) -> Callable[[Path], bytes]:
    """Return a frame that holds a message of ours."""
    data = encode(bytes(INCARNATION_BYTES), forged)
    return lambda _: data


FORGED: dict[str, Callable[[Path], bytes]] = {
    "apply_command of a membership change": message(
        Forward(1, MEMBERSHIP + b"\x80\x04rem_node")
    ),
    "an entry that changes the members": message(
        Append(1, 0, 0, 0, 1, [(MEMBERSHIP + b"add", 1, 1)])
    ),
    "the library's apply_command": dictionary(
        type="apply_command", command=MEMBERSHIP + b"add", request_id=1
    ),
    "the library's transmission": dictionary(
        type="append_entries", term=99, transmission="start", data=b"x", prevLogIdx=None
    ),
    "a pickled bomb": lambda crater: (
        bytes(INCARNATION_BYTES) + pickle.dumps(Bomb(crater))
    ),
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("name", FORGED)
def test_frames_forged_by_somebody_who_holds_the_key(
    cluster: ProcessCluster, tmp_path: Path, name: str
) -> None:
    """Even behind the seal only our own messages are understood.

    The forger plays a follower that lives, so that the frame is not refused before it
    is read: with its key, its id, and the hello that the follower itself gave away.
    """
    crater = tmp_path / "crater"
    key = key_of(cluster)
    with unimpressed(cluster, "bad_frame") as leader:
        victim = cluster.others(leader)[0]
        with Stranger(raft_port(victim)) as spy:
            hello = spy.enter(leader.node_id, victim.node_id, key, b"")
        with Stranger(raft_port(leader)) as forger:
            forger.enter(victim.node_id, leader.node_id, key, hello)
            forger.send_frame(FORGED[name](crater))
            forger.wait_closed()

    assert not crater.exists()


def test_a_frame_of_ten_megabytes_behind_the_handshake(cluster: ProcessCluster) -> None:
    """The link ends when the length is announced."""
    key = key_of(cluster)
    with unimpressed(cluster, "frame_too_long") as leader:
        victim = cluster.others(leader)[0]
        with Stranger(raft_port(victim)) as spy:
            hello = spy.enter(leader.node_id, victim.node_id, key, b"")
        with Stranger(raft_port(leader)) as forger:
            forger.enter(victim.node_id, leader.node_id, key, hello)
            forger.send((10_000_000).to_bytes(4, "big") + bytes(1_000_000))
            forger.wait_closed()
