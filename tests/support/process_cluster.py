"""A cluster of real replicas on loopback, each a process; ends all that it started.

Data and logs lie in the folder given: ``<folder>/a/`` and ``<folder>/a.log``.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cluster.links.keys import generate_key
from tests.support.process_http import ask
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.process_replica import ReplicaProcess
from tests.support.waiting import wait_until

READY_S = 30.0
ALONE = "registry"
"""The id of a cluster of one."""


class ProcessCluster:
    """One, three or five replicas; some may be down."""

    def __init__(self, replicas: Mapping[str, ReplicaProcess]) -> None:
        self.replicas = dict(replicas)

    def __getitem__(self, node_id: str) -> ReplicaProcess:
        """Return one replica."""
        return self.replicas[node_id]

    def __iter__(self) -> Iterator[ReplicaProcess]:
        return iter(self.replicas.values())

    @property
    def urls(self) -> list[str]:
        """Where the running ones answer."""
        return [replica.url for replica in self if replica.is_running]

    def start(self) -> None:
        """Start those that are down, and wait until all are ready."""
        for replica in self:
            if not replica.is_running:
                replica.start()
        self.wait_ready()

    def wait_ready(self, *, deadline_s: float = READY_S) -> None:
        """Wait until those that run are ready, agree on a leader, and are linked."""

        def is_ready() -> bool:
            running = [r for r in self if r.is_running]
            assert running, "all replicas have ended"
            return (
                all(r.is_ready for r in running)
                and self._agreed() is not None
                and all(self._is_linked(r) for r in running)
            )

        wait_until(is_ready, "a ready cluster", deadline_s=deadline_s)

    def leader(self, *, deadline_s: float = READY_S) -> ReplicaProcess:
        """Wait until those that run agree on a leader; return it."""
        wait_until(
            lambda: self._agreed() is not None, "a leader", deadline_s=deadline_s
        )
        agreed = self._agreed()
        assert agreed is not None
        return agreed

    def others(self, but: ReplicaProcess) -> list[ReplicaProcess]:
        """Return all replicas but this one."""
        return [replica for replica in self if replica is not but]

    def _is_linked(self, replica: ReplicaProcess) -> bool:
        """Whether it reaches all others that run: they dial again with a back-off."""
        members = replica.state().get("members", [])
        assert isinstance(members, list)
        linked = {str(m["node_id"]) for m in members if m["connected"]}
        return linked >= {r.node_id for r in self if r.is_running}

    def _agreed(self) -> ReplicaProcess | None:
        states = [r.state() for r in self if r.is_running]
        named = {(s.get("leader"), s.get("term")) for s in states}
        if len(named) != 1:
            return None
        leader = self.replicas.get(str(next(iter(named))[0]))
        if leader is None or not leader.is_running:
            return None
        return leader if leader.state().get("role") == "leader" else None

    def wait_caught_up(self) -> None:
        """Wait until all replicas that run have applied what the first has now."""
        index = max(int(str(r.state().get("index", 0))) for r in self if r.is_running)
        for replica in self:
            if replica.is_running:
                reply = ask(replica.url, f"/services?limit=1&min_index={index}")
                assert reply.status == 200, reply.body


@contextmanager
def process_cluster(
    folder: Path,
    *,
    size: int = 3,
    with_key: bool = False,
    settings: Callable[[str], Mapping[str, str]] = lambda _: {},
    start: bool = True,
) -> Iterator[ProcessCluster]:
    """Run ``size`` replicas, by default until they are ready; end them at the end.

    ``settings(node_id)`` are put over those that are made here.
    """
    ports = ReservedPorts()
    ids = tuple("abcde"[:size]) if size > 1 else (ALONE,)
    raft = {node_id: ports.take() for node_id in ids}
    peers = ",".join(f"{node_id}={LOOPBACK}:{port}" for node_id, port in raft.items())
    common = {"SERVICE_REGISTRY_LOG_FORMAT": "json"}
    if size > 1:
        common["SERVICE_REGISTRY_PEERS"] = peers
    if with_key:
        key = folder / "raft.key"
        key.write_text(generate_key() + "\n")
        key.chmod(0o600)
        common["SERVICE_REGISTRY_RAFT_KEY_FILE"] = str(key)
    replicas = {}
    for node_id in ids:
        http = f"{LOOPBACK}:{ports.take()}"
        own = {
            "SERVICE_REGISTRY_NODE_ID": node_id,
            "SERVICE_REGISTRY_BIND": http,
            "SERVICE_REGISTRY_DATA_DIR": str(folder / node_id),
        }
        if size == 1:
            del own["SERVICE_REGISTRY_NODE_ID"]  # as whoever begins with one
        replicas[node_id] = ReplicaProcess(
            node_id,
            f"http://{http}",
            common | own | dict(settings(node_id)),
            folder / f"{node_id}.log",
        )
    cluster = ProcessCluster(replicas)
    try:
        if start:
            cluster.start()
        yield cluster
    finally:
        for replica in cluster:
            replica.end()
        ports.close()
