"""From settings to a replica: data directory, workers, links, and the catalog behind
it.

What the cluster reports becomes log lines here, and what must end the process ends it.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import NoReturn

import structlog

from cluster.config import ClusterConfig
from cluster.errors import StartRefused
from cluster.links.keys import read_key_file
from cluster.links.settings import LinkConfig, NoSecurity, Security, SharedKeys, Tls
from cluster.links.tcp import TcpLinks
from cluster.links.tls import server_context
from cluster.ports import LinkEvents, Links, Surroundings
from cluster.raft import library
from cluster.replica import Replica
from cluster.state_machine import UnknownCommand
from cluster.storage.files import DirectoryFiles
from cluster.storage.lock import DirectoryLock, prepare_directory
from cluster.storage.thread import ThreadWorker
from registry import logs
from registry.catalog.commands import SCHEMA
from registry.catalog.decoding import UnknownCommandError
from registry.catalog.machine import CatalogMachine
from registry.config import ClusterSettings, Config
from registry.duties import Duties

EXIT_FATAL = 70
"""sysexits(3) EX_SOFTWARE: the supervisor restarts us, and recovery looks at the disk.
"""
FLUSH_S = 1.0
REJECTED_EVERY_S = 10.0

log = structlog.get_logger()


class NoLinks:
    """The links of a cluster of one: no port, nobody to reach."""

    async def start(self, events: LinkEvents) -> None:
        """Open nothing."""

    def send(self, peer: str, frame: bytes) -> bool:
        """Reach nobody."""
        return False

    def drop(self, peer: str) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """Nothing to close."""


class ReplicatedCatalog(CatalogMachine):
    """The catalog as the cluster's state machine: speaks its word for "stop".

    ``on_applied`` and ``on_restored`` hear of each index that it has got to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_applied: Callable[[int], None] = _ignore
        self.on_restored: Callable[[int], None] = _ignore

    def apply(self, position: int, command: bytes) -> bytes:
        """Apply one command. Raises UnknownCommand to stop the replica."""
        try:
            return super().apply(position, command)
        except UnknownCommandError as error:
            raise UnknownCommand(str(error)) from error

    def applied(self, index: int) -> None:
        """Show an index as applied, and tell of it."""
        super().applied(index)
        self.on_applied(index)

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """Restore a snapshot in steps, and tell of its index."""
        yield from super().restore(chunks)
        self.on_restored(self.catalog.index)


def _ignore(index: int) -> None:
    """Nobody follows yet."""


class Rejections:
    """Strangers at the Raft port, in at most a line per reason and ten seconds."""

    def __init__(self) -> None:
        self._next_s: dict[str, float] = {}
        self._silent: dict[str, int] = {}

    def __call__(self, reason: str, remote: str) -> None:
        """Log a rejection, or count it towards the next line."""
        label = reason.partition(":")[0]
        now_s = time.monotonic()
        if now_s < self._next_s.get(label, 0.0):
            self._silent[label] = self._silent.get(label, 0) + 1
            return
        self._next_s[label] = now_s + REJECTED_EVERY_S
        also = self._silent.pop(label, 0)
        log.warning("Raft connection rejected", reason=reason, remote=remote, also=also)


class Replication:
    """One replica, wired. Invariant: the data directory is locked while it exists."""

    def __init__(self, config: Config) -> None:
        """Lock the directory and read keys. Raises StartRefused."""
        cluster = config.cluster
        directory = Path(cluster.data_dir)
        _make_way(directory)
        prepare_directory(directory)
        self._lock = DirectoryLock.acquire(directory)
        library.install()
        loop = asyncio.get_running_loop()
        self.links = _links(cluster)
        surroundings = Surroundings(
            files=DirectoryFiles(directory),
            log_worker=ThreadWorker(loop, name="log"),
            bulk_worker=ThreadWorker(loop, name="bulk"),
            links=self.links,
            random=SystemRandom(),
            fatal=end_process,
            report=report,
        )
        members = tuple(cluster.peers) or (cluster.node_id,)
        self.machine = ReplicatedCatalog()
        self._surroundings = surroundings
        self.replica = Replica(
            ClusterConfig(cluster.node_id, members, cluster.advertise, SCHEMA),
            self.machine,
            surroundings,
        )

    def counters(self) -> dict[str, float]:
        """Return the metrics' numbers under their exposed names."""
        return dict(self._counters())

    def _counters(self) -> Iterator[tuple[str, float]]:
        for name, value in self.replica.counters().items():
            exposed = _GAUGES.get(name, f"registry_raft_{name}_total")
            yield exposed, value
        if isinstance(self.links, TcpLinks):
            stats = self.links.stats()
            yield "registry_raft_links_up", stats.outgoing_up
            yield "registry_raft_links_rejected_total", sum(stats.refused.values())
            yield "registry_raft_link_bytes_sent_total", stats.bytes_out
            yield "registry_raft_link_bytes_received_total", stats.bytes_in

    def follow(self, duties: Duties) -> None:
        """Let the duties hear of what is applied, and run while this replica leads."""
        self.machine.on_applied = duties.applied
        self.machine.on_restored = duties.restored
        duties.add_to(self.replica.add_duty)

    def troubles(self) -> dict[str, str]:
        """Return, by peer, why it cannot be reached now."""
        return self.links.troubles() if isinstance(self.links, TcpLinks) else {}

    async def abandon(self) -> None:
        """End the workers of a replica that could not start."""
        await self._surroundings.links.close()
        await self._surroundings.bulk_worker.close()
        await self._surroundings.log_worker.close()
        self._lock.release()

    async def stop(self) -> None:
        """Stop the replica and give the directory free."""
        await self.replica.stop()
        self._lock.release()


_GAUGES = {
    "waiting": "registry_raft_waiting_commands",
    "last_sync_seconds": "registry_raft_last_sync_seconds",
}


def _make_way(directory: Path) -> None:
    """Make the folders above it, if they are the user's own (the default is).

    Elsewhere a folder that is missing may be a volume that is not mounted.
    """
    with suppress(OSError, RuntimeError):  # said better by prepare_directory
        if directory.is_relative_to(Path.home()):
            directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def unusable_files(cluster: ClusterSettings) -> list[str]:
    """Return, for people, which files and folders of the settings cannot be used."""
    mistakes = []
    try:
        security = _security(cluster)
        if isinstance(security, Tls):
            server_context(security, cluster.node_id)
    except StartRefused as error:
        mistakes.append(str(error))
    directory = Path(cluster.data_dir)
    there = next(p for p in (directory, *directory.parents) if p.exists())
    if not there.is_dir():
        mistakes.append(f"data directory {directory}: {there} is not a directory")
    elif not os.access(there, os.W_OK | os.X_OK):
        mistakes.append(f"data directory {directory}: {there} is not writable")
    return mistakes


def _links(cluster: ClusterSettings) -> Links:
    peers = {k: v for k, v in cluster.peers.items() if k != cluster.node_id}
    if not peers or cluster.raft_bind is None:
        return NoLinks()
    config = LinkConfig(
        node_id=cluster.node_id,
        peers=peers,
        bind=cluster.raft_bind,
        security=_security(cluster),
    )
    return TcpLinks(
        config,
        random=SystemRandom(),
        fatal=end_process,
        on_rejected=Rejections(),
        on_trouble=_report_trouble,
    )


def _security(cluster: ClusterSettings) -> Security:
    if cluster.raft_key_file:
        return SharedKeys(read_key_file(Path(cluster.raft_key_file)))
    if cluster.raft_tls_cert_file:
        return Tls(
            cert_file=Path(cluster.raft_tls_cert_file),
            key_file=Path(cluster.raft_tls_key_file),
            ca_file=Path(cluster.raft_tls_ca_file),
        )
    return NoSecurity()  # loopback only: config_check sees to it


def _report_trouble(peer: str, text: str) -> None:
    log.warning("Cannot reach a peer", peer=peer, reason=text)


def report(event: str, fields: dict[str, object]) -> None:
    """Log what the cluster tells."""
    log.info(event[:1].upper() + event[1:], **fields)


def end_process(message: str) -> NoReturn:
    """End at once, without cleaning up: going on could break a promise."""
    log.critical("Replica must end", reason=message)
    logs.flush(FLUSH_S)
    os._exit(EXIT_FATAL)
