"""The bed of processes: `registry serve` on loopback; no root, no docker.

Links are relays in this process (`relay`), disks and clocks a preloaded library
(`shim`); without a compiler the verbs of the latter are missing. What is done to a
disk or a clock stays while its replica is down, as with a real one.
"""

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

from tests.chaos.bed import BedFailed
from tests.chaos.beds.relay import Relays
from tests.chaos.beds.shim import Control, Shim, compile_shim
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.process_replica import COMMAND, ReplicaProcess

VERBS = frozenset(
    (
        "kill",
        "stop",
        "start",
        "pause",
        "resume",
        "partition",
        "slow_link",
        "heal",
        "wipe",
    )
)
SHIM_VERBS = frozenset(
    ("power_cut", "slow_disk", "break_disk", "fill_disk", "mend_disk", "step_clock")
)
SEED = 0
"""Of how far a disk gets beyond what was asked of it, before the power is cut."""


class ProcessBed:
    """See `Bed`."""

    name = "processes"
    service_host = LOOPBACK

    def __init__(
        self, cluster: ProcessCluster, relays: Relays, shims: Mapping[str, Shim]
    ) -> None:
        self.node_ids = tuple(cluster.replicas)
        self.verbs = VERBS | (SHIM_VERBS if shims else frozenset())
        self._cluster = cluster
        self._relays = relays
        self._shims = shims
        self._random = Random(SEED)

    def __getitem__(self, node_id: str) -> ReplicaProcess:
        """Return the process and what it logs; for tests of the bed."""
        return self._cluster[node_id]

    def url(self, node_id: str) -> str:
        """See Bed."""
        return self._cluster[node_id].url

    def leader(self) -> str | None:
        """See Bed."""
        states = [state for replica in self._cluster if (state := replica.state())]
        named = {(state.get("leader"), state.get("term")) for state in states}
        if len(named) != 1:
            return None
        leader, _ = named.pop()
        return str(leader) if leader else None

    def wait_ready(self, *, deadline_s: float = 60.0) -> None:
        """See Bed. BedFailed at once when one of them has ended."""
        for replica in self._cluster:
            if not replica.is_running:
                raise BedFailed(f"{replica.node_id} is down: see {replica.log}")
        try:
            self._cluster.wait_ready(deadline_s=deadline_s)
        except AssertionError as error:
            raise BedFailed(str(error)) from error
        for replica in self._cluster:
            if not replica.is_running:
                raise BedFailed(f"{replica.node_id} has ended: see {replica.log}")

    # -- the process

    def kill(self, node_id: str) -> None:
        """See Bed."""
        if self._cluster[node_id].is_running:
            self._cluster[node_id].kill()

    def stop(self, node_id: str) -> None:
        """See Bed; a paused one has to go on to end."""
        replica = self._cluster[node_id]
        if not replica.is_running:
            return
        replica.send(signal.SIGTERM)
        replica.send(signal.SIGCONT)
        try:
            replica.wait()
        except subprocess.TimeoutExpired as error:
            raise BedFailed(f"{node_id} does not stop") from error

    def start(self, node_id: str) -> None:
        """See Bed."""
        if not self._cluster[node_id].is_running:
            self._cluster[node_id].start()

    def pause(self, node_id: str) -> None:
        """See Bed."""
        replica = self._cluster[node_id]
        if replica.is_running:
            replica.send(signal.SIGSTOP)
            stopped = os.WSTOPPED | os.WEXITED | os.WNOWAIT
            os.waitid(os.P_PID, replica.pid, stopped)  # all of its threads

    def resume(self, node_id: str) -> None:
        """See Bed."""
        if self._cluster[node_id].is_running:
            self._cluster[node_id].send(signal.SIGCONT)

    def starve(self, node_id: str) -> None:
        """See Bed: not here."""
        raise BedFailed("processes cannot be starved without root")

    def feed(self, node_id: str) -> None:
        """See Bed: nobody is starved here."""

    # -- the links

    def partition(
        self,
        node_id: str,
        from_: Collection[str],
        *,
        inbound: bool = True,
        outbound: bool = True,
    ) -> None:
        """See Bed."""
        for other in from_:
            if inbound:
                self._relays.cut(other, node_id)
            if outbound:
                self._relays.cut(node_id, other)

    def slow_link(
        self, node_id: str, *, delay_ms: float, jitter_ms: float = 0, loss: float = 0
    ) -> None:
        """See Bed; what is lost comes later, when TCP would send it again."""
        for other in self.node_ids:
            if other != node_id:
                self._relays.slow(
                    node_id,
                    other,
                    delay_s=delay_ms / 1e3,
                    jitter_s=jitter_ms / 1e3,
                    loss=loss,
                )

    def unplug(self, node_id: str) -> None:
        """See Bed: not here."""
        raise BedFailed("a process has no interface of its own")

    def heal(self) -> None:
        """See Bed."""
        self._relays.heal()

    # -- the disk

    def power_cut(self, node_id: str) -> None:
        """See Bed; of one that is down, what it left unsynced is forgotten, too."""
        shim = self._shim(node_id)
        self.kill(node_id)
        shim.cut_power(self._random)

    def slow_disk(self, node_id: str, *, sync_ms: float) -> None:
        """See Bed."""
        shim = self._shim(node_id)
        shim.control = replace(shim.control, sync_s=sync_ms / 1e3)

    def break_disk(self, node_id: str) -> None:
        """See Bed: writes pass, into memory, and syncs fail, as they mostly do."""
        shim = self._shim(node_id)
        shim.control = replace(shim.control, sync_errno=errno.EIO)

    def fill_disk(self, node_id: str) -> None:
        """See Bed."""
        shim = self._shim(node_id)
        shim.control = replace(shim.control, write_errno=errno.ENOSPC)

    def mend_disk(self, node_id: str) -> None:
        """See Bed."""
        shim = self._shim(node_id)
        shim.control = Control(clock_s=shim.control.clock_s)

    def wipe(self, node_id: str) -> None:
        """See Bed."""
        replica = self._cluster[node_id]
        if replica.is_running:
            raise BedFailed(f"{node_id} runs: its data cannot be wiped")
        data = Path(replica.settings["SERVICE_REGISTRY_DATA_DIR"])
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        if node_id in self._shims:
            self._shims[node_id].begin()

    # -- the clock

    def step_clock(self, node_id: str, *, seconds: float) -> None:
        """See Bed."""
        shim = self._shim(node_id)
        shim.control = replace(shim.control, clock_s=seconds)

    def _shim(self, node_id: str) -> Shim:
        if node_id not in self._shims:
            raise BedFailed("there was no compiler for this verb's library")
        return self._shims[node_id]


@contextmanager
def process_bed(
    folder: Path,
    *,
    size: int = 3,
    settings: Callable[[str], Mapping[str, str]] = lambda _: {},
    command: tuple[str, ...] = COMMAND,
) -> Iterator[ProcessBed]:
    """Run ``size`` replicas until they are ready; end them, and all else, at the end.

    ``settings(node_id)`` are put over those made here; ``command`` is instead of
    `registry serve`. Data and logs lie in ``folder``.
    """
    folder = folder.absolute()  # the replicas' working directory is another
    library = compile_shim(folder)
    node_ids = "abcde"[:size]
    raft_ports = ReservedPorts()
    listening = {node_id: raft_ports.take() for node_id in node_ids}
    shims: dict[str, Shim] = {}
    if library is not None:
        shims = {node_id: Shim(library, folder / node_id) for node_id in node_ids}

    def made(node_id: str) -> dict[str, str]:
        """Each has a list of its own, which leads to the others by their relays."""
        ports = {
            peer: port if peer == node_id else relays.port(node_id, peer)
            for peer, port in listening.items()
        }
        peers = ",".join(f"{peer}={LOOPBACK}:{port}" for peer, port in ports.items())
        own = {"SERVICE_REGISTRY_PEERS": peers}
        if node_id in shims:
            own |= shims[node_id].environment
        return own | dict(settings(node_id))

    with (
        Relays(listening) as relays,
        process_cluster(
            folder, size=size, with_key=True, settings=made, start=False
        ) as cluster,
    ):
        for replica in cluster:
            replica.command = command
        try:
            cluster.start()
            yield ProcessBed(cluster, relays, shims)
        finally:
            raft_ports.close()
