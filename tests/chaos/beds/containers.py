"""The bed of containers: the product's image, hardened, on two networks of its own.

Clients reach every replica all the time, on a port of loopback; the replicas reach each
other on a network without a way out, and that one is cut, slowed and unplugged.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cluster.links.keys import generate_key
from tests.chaos.bed import BedFailed
from tests.chaos.beds import container_engine as engine
from tests.chaos.beds.container_ground import (
    HTTP_PORT,
    KEY_FILE,
    Ground,
    memory_volume,
)
from tests.chaos.beds.container_node import ContainerNode
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.waiting import wait_until

RAFT_PORT = 8101
DISK_MIB = 384
"""Two reserves of 64 MiB (`cluster.config.Limits`), 64 MiB of log between snapshots,
and room for those: an hour of load must not fill it by itself."""
READY_S = 60.0


class ContainerBed:
    """Three or five replicas in containers (see `tests.chaos.bed.Bed`)."""

    name = "containers"
    verbs = frozenset(
        {
            "kill", "stop", "start", "pause", "resume", "starve", "feed",
            "partition", "slow_link", "unplug", "heal",
            "fill_disk", "mend_disk", "wipe",
        }
    )  # fmt: skip

    def __init__(
        self, run: str, nodes: Mapping[str, ContainerNode], service_host: str
    ) -> None:
        """``run``: what the engine has labelled all of this with."""
        self.run = run
        self.nodes = dict(nodes)
        self.node_ids = tuple(nodes)
        self.service_host = service_host

    def url(self, node_id: str) -> str:
        """Return where its HTTP answers."""
        return self.nodes[node_id].url

    def leader(self) -> str | None:
        """Return whom those that answer agree on; None if they do not."""
        states = {n: s for n in self.node_ids if (s := self.nodes[n].state())}
        named = {(state["leader"], state["term"]) for state in states.values()}
        if len(named) != 1:
            return None
        leader = str(next(iter(named))[0])
        is_so = states.get(leader, {}).get("role") == "leader"
        return leader if is_so else None

    def wait_ready(self, *, deadline_s: float = READY_S) -> None:
        """Wait until all run, are ready and linked, and agree on a leader."""

        def is_ready() -> bool:
            nodes = self.nodes.values()
            if ended := [n for n, node in self.nodes.items() if node.has_ended]:
                raise BedFailed(f"{', '.join(ended)} ended")
            return (
                all(node.is_ready for node in nodes)
                and self.leader() is not None
                and all(self._is_linked(node) for node in nodes)
            )

        wait_until(is_ready, "a ready cluster", deadline_s=deadline_s)

    def _is_linked(self, node: ContainerNode) -> bool:
        members = node.state().get("members", [])
        assert isinstance(members, list)
        return {m["node_id"] for m in members if m["connected"]} >= set(self.node_ids)

    def replace(self, node_id: str, image: str) -> None:
        """Stop it, and run another image on its data."""
        self.stop(node_id)
        self.nodes[node_id].make(image)

    # -- the process

    def kill(self, node_id: str) -> None:
        """SIGKILL, and gone when this returns."""
        self.nodes[node_id].kill()

    def stop(self, node_id: str) -> None:
        """SIGTERM, and ended by itself when this returns."""
        self.nodes[node_id].stop()

    def start(self, node_id: str) -> None:
        """Start what is down, on its data; returns at once."""
        self.nodes[node_id].start()

    def pause(self, node_id: str) -> None:
        """Freeze the container."""
        self.nodes[node_id].pause()

    def resume(self, node_id: str) -> None:
        """Go on where it was."""
        self.nodes[node_id].resume()

    def starve(self, node_id: str) -> None:
        """Give it a small part of a processor, until `feed`."""
        self.nodes[node_id].starve()

    def feed(self, node_id: str) -> None:
        """Give it what it wants again."""
        self.nodes[node_id].feed()

    # -- the links

    def partition(
        self,
        node_id: str,
        from_: Collection[str],
        *,
        inbound: bool = True,
        outbound: bool = True,
    ) -> None:
        """Lose what travels between it and those, silently; one way if asked."""
        self.nodes[node_id].ground.cut(
            self._addresses(from_), inbound=inbound, outbound=outbound
        )

    def slow_link(
        self, node_id: str, *, delay_ms: float, jitter_ms: float = 0, loss: float = 0
    ) -> None:
        """Delay what it sends to the others, and lose a part (0 to 1) of it."""
        others = [other for other in self.node_ids if other != node_id]
        self.nodes[node_id].ground.delay(
            self._addresses(others), delay_ms=delay_ms, jitter_ms=jitter_ms, loss=loss
        )

    def unplug(self, node_id: str) -> None:
        """Take its interface away: names do not resolve, addresses may change."""
        self.nodes[node_id].ground.unplug()

    def heal(self) -> None:
        """Undo every `partition`, `slow_link` and `unplug`."""
        for node in self.nodes.values():
            node.ground.heal()

    def _addresses(self, node_ids: Collection[str]) -> list[str]:
        """Leave out who is unplugged: nothing travels there anyway."""
        found = (self.nodes[node_id].ground.address for node_id in node_ids)
        return [address for address in found if address]

    # -- the disk

    def fill_disk(self, node_id: str) -> None:
        """Leave no room: ENOSPC."""
        self.nodes[node_id].ground.fill()

    def mend_disk(self, node_id: str) -> None:
        """Give the room back."""
        self.nodes[node_id].ground.mend()

    def wipe(self, node_id: str) -> None:
        """Empty the data of a replica that is down."""
        if not self.nodes[node_id].has_ended:
            raise BedFailed(f"{node_id} runs: its disk cannot be replaced")
        self.nodes[node_id].ground.wipe()

    # -- what needs a process of ours, or a whole machine

    def power_cut(self, node_id: str) -> None:
        """Not here (see `verbs`)."""
        raise BedFailed("containers share the machine's power")

    def slow_disk(self, node_id: str, *, sync_ms: float) -> None:
        """Not here (see `verbs`)."""
        raise BedFailed("containers share the machine's disk")

    def break_disk(self, node_id: str) -> None:
        """Not here (see `verbs`)."""
        raise BedFailed("containers share the machine's disk")

    def step_clock(self, node_id: str, *, seconds: float) -> None:
        """Not here (see `verbs`)."""
        raise BedFailed("containers share the machine's clock")


@contextmanager
def container_bed(
    folder: Path,
    *,
    size: int = 3,
    settings: Callable[[str], Mapping[str, str]] = lambda _: {},
    image: str = engine.IMAGE,
) -> Iterator[ContainerBed]:
    """Run replicas until they are ready; at the end nothing of them is left.

    Their logs are then in ``folder``. ``settings(node_id)`` are put over those made
    here. The first in a process builds the images from what is here now.
    """
    engine.build_images()
    run = f"registry-{os.urandom(4).hex()}"
    with ExitStack() as undo:  # all of it is undone, whatever else fails
        client = engine.connect()
        undo.callback(client.close)
        engine.reap(client)
        ports = ReservedPorts()
        undo.callback(ports.close)
        undo.callback(engine.remove_run, client, run)
        bed = _make(client, run, "abcde"[:size], ports, settings)
        key = generate_key()
        for node_id, node in bed.nodes.items():
            undo.callback(node.close, folder / f"{node_id}.log")
            node.ground.start(key)
        for node in bed.nodes.values():
            node.make(image)
        bed.wait_ready()
        yield bed


def _make(
    client: Any,
    run: str,
    node_ids: str,
    ports: ReservedPorts,
    settings: Callable[[str], Mapping[str, str]],
) -> ContainerBed:
    """Make networks and volumes, and plan the nodes; no container runs yet."""
    clients = client.networks.create(f"{run}-clients", labels=engine.labels(run))
    raft = client.networks.create(
        f"{run}-raft", internal=True, labels=engine.labels(run)
    )
    memory_volume(client, run, f"{run}-secrets", mib=1)
    common = {
        "SERVICE_REGISTRY_LOG_FORMAT": "json",
        "SERVICE_REGISTRY_RAFT_KEY_FILE": KEY_FILE,
        "SERVICE_REGISTRY_PEERS": ",".join(
            f"{node_id}=registry-{node_id}:{RAFT_PORT}" for node_id in node_ids
        ),
    }
    nodes = {}
    for node_id in node_ids:
        port = ports.take()
        ground = Ground(run, node_id, clients=clients, raft=raft, port=port)
        memory_volume(client, run, ground.volume, mib=DISK_MIB)
        own = {
            "SERVICE_REGISTRY_NODE_ID": node_id,
            "SERVICE_REGISTRY_BIND": f"0.0.0.0:{HTTP_PORT}",
            "SERVICE_REGISTRY_ADVERTISE": f"{LOOPBACK}:{port}",
        }
        nodes[node_id] = ContainerNode(
            run,
            ground,
            common | own | dict(settings(node_id)),
            f"http://{LOOPBACK}:{port}",
        )
    clients.reload()
    gateway = clients.attrs["IPAM"]["Config"][0]["Gateway"]
    return ContainerBed(run, nodes, str(gateway))
