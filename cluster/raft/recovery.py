"""Start: what the disk holds becomes a journal, an identity and a state.

The newest snapshot and the log must agree. If the log holds the snapshot's last entry
in the same term, everything behind it stays; if not, the log is older than the snapshot
(the crash came between its rename and the Reset record) and begins anew from it.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from cluster.config import ClusterConfig
from cluster.entry import NO_OP, LogEntry
from cluster.errors import DiskCorrupt, StartRefused
from cluster.identity import Identity, Standing
from cluster.ledger import Ledger
from cluster.ports import Surroundings, Worker
from cluster.raft.journal import RaftJournal
from cluster.state_machine import UnknownCommand
from cluster.storage.recovery import Recovered
from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore
from cluster.storage.wal import Wal

T = TypeVar("T")

RESTORE_SLICE_S = 0.002


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a replica starts from."""

    wal: Wal
    store: SnapshotStore
    newest: SnapshotMeta | None
    identity: Identity
    journal: RaftJournal
    torn_bytes: int

    @property
    def stands_at(self) -> tuple[int, int]:
        """Index and term of the entry that the restored state stands at."""
        return (1, 0) if self.newest is None else (self.newest.index, self.newest.term)


async def in_worker(worker: Worker, job: Callable[[], T]) -> T:
    """Run ``job`` in the worker and return its result, or raise its error."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def done(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def failed(error: BaseException) -> None:
        if not future.done():
            future.set_exception(error)

    worker.submit(job, done, failed)
    return await future


async def restore_in_slices(ledger: Ledger, chunks: Iterator[bytes]) -> None:
    """Replace the state without holding the loop. Raises ValueError."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for _ in ledger.restore(chunks):
        if loop.time() - began_s > RESTORE_SLICE_S:
            await asyncio.sleep(0)
            began_s = loop.time()


async def recover(
    config: ClusterConfig, surroundings: Surroundings, ledger: Ledger
) -> Recovery:
    """Read the data directory and restore the snapshot's state.

    Raises StartRefused (DiskCorrupt included) with a message that says what to mend.
    """
    try:
        wal, found, store, newest = await in_worker(
            surroundings.log_worker, lambda: _read(config, surroundings)
        )
        identity = identity_for(config, found.identity)
        if identity != found.identity:
            await in_worker(
                surroundings.log_worker, lambda: wal.write_identity(identity)
            )
        journal = align(found, newest, identity)
        if newest is not None:
            meta = newest
            chunks = await in_worker(
                surroundings.bulk_worker, lambda: list(store.chunks(meta))
            )
            await restore_in_slices(ledger, iter(chunks))
    except OSError as error:
        message = f"the data directory cannot be used: {error}"
        raise StartRefused(message) from error
    except StartRefused:
        raise
    except UnknownCommand as error:
        raise StartRefused(str(error)) from error
    except ValueError as error:
        message = f"the snapshot cannot be read: {error}"
        raise DiskCorrupt(message) from error
    except Exception as error:
        message = f"cannot be recovered: {type(error).__name__}: {error}"
        raise StartRefused(message) from error
    return Recovery(wal, store, newest, identity, journal, found.torn_bytes)


def _read(
    config: ClusterConfig, surroundings: Surroundings
) -> tuple[Wal, Recovered, SnapshotStore, SnapshotMeta | None]:
    wal, found = Wal.recover(surroundings.files, config.limits)
    store = SnapshotStore(surroundings.files)
    return wal, found, store, store.newest()


def identity_for(config: ClusterConfig, recorded: Identity | None) -> Identity:
    """Return who we are: as recorded, or empty. Raises StartRefused."""
    members = tuple(sorted(config.members))
    if recorded is None or recorded.standing is Standing.EMPTY:
        return Identity(config.node_id, members=members)
    if recorded.node_id != config.node_id:
        message = (
            f"the data directory belongs to node {recorded.node_id!r}, "
            f"this one is {config.node_id!r}: each replica needs its own"
        )
        raise StartRefused(message)
    if recorded.members != members:
        message = (
            f"the peer list {', '.join(members)} is not that of the cluster: "
            f"its members are {', '.join(recorded.members)} (epoch {recorded.epoch})"
        )
        raise StartRefused(message)
    return recorded


def align(
    found: Recovered, newest: SnapshotMeta | None, identity: Identity
) -> RaftJournal:
    """Return the journal in which log and snapshot agree. Raises DiskCorrupt."""
    entries = found.entries
    if newest is None:
        if entries and entries[0][1] != 1:
            message = f"the log begins at {entries[0][1]}, but there is no snapshot"
            raise DiskCorrupt(message)
        return RaftJournal(entries, found.term, found.voted_for, found.commit_index)
    if newest.cluster_id != identity.cluster_id:
        message = f"the snapshot is of cluster {newest.cluster_id!r}, the log is not"
        raise DiskCorrupt(message)
    base: LogEntry = (NO_OP, newest.index, newest.term)
    commit_index = max(newest.index, found.commit_index)
    if entries:
        first, last = entries[0][1], entries[-1][1]
        if first > newest.index + 1:
            message = f"the log begins at {first}, the snapshot ends at {newest.index}"
            raise DiskCorrupt(message)
        if first == newest.index + 1:
            entries = [base, *entries]
            first = newest.index
        if last >= newest.index and entries[newest.index - first][2] == newest.term:
            return RaftJournal(entries, found.term, found.voted_for, commit_index)
    journal = RaftJournal([base], found.term, found.voted_for, newest.index)
    journal.reset(newest.index, newest.term)
    return journal
