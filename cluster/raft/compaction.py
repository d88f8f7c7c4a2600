"""Snapshots of our own state, the log behind them, and installing one that a peer sent.

A snapshot is cut on the loop in shallow copies and written in the bulk worker; only
when it is durable does the log behind it go. While one is being installed nothing is
applied.
"""

import asyncio
from collections.abc import Callable

from cluster.config import Limits
from cluster.identity import Identity
from cluster.ledger import Ledger
from cluster.ports import Surroundings
from cluster.raft import library
from cluster.raft.core import RaftCore
from cluster.raft.journal import RaftJournal
from cluster.raft.recovery import Recovery, in_worker, restore_in_slices
from cluster.storage.snapshot_file import SnapshotMeta

SNAPSHOT_RATIO = 1
"""Log per snapshot, in sizes of the last one: the log in memory, and what a start must
replay, stay in proportion to the state. (As Redis does with its append-only file.)
Writing snapshots costs at most as many bytes as writing the log (a state beyond
``snapshot_log_max_bytes`` in proportion more), but a tenth of its processor time: an
entry is applied, an item of a snapshot only encoded.
"""
RETRY_S = 10.0
"""Pause after a snapshot that could not be written."""


def log_kept_bytes(newest: SnapshotMeta | None, limits: Limits) -> int:
    """Return how much log may follow the newest snapshot until the next is due."""
    state_bytes = 0 if newest is None else newest.size_bytes
    due_bytes = max(limits.snapshot_log_min_bytes, SNAPSHOT_RATIO * state_bytes)
    return min(limits.snapshot_log_max_bytes, due_bytes)


class Compaction:
    """Makes and installs snapshots.

    ``newest`` is the snapshot on disk from which peers are served.
    """

    def __init__(
        self,
        recovery: Recovery,
        core: RaftCore,
        ledger: Ledger,
        surroundings: Surroundings,
        limits: Limits,
        *,
        identity: Callable[[], Identity],
        installed: Callable[[int], None],
    ) -> None:
        self.newest = recovery.newest
        self.made = 0
        self.installs = 0
        self._wal = recovery.wal
        self._store = recovery.store
        self._journal: RaftJournal = recovery.journal
        self._core = core
        self._ledger = ledger
        self._files = surroundings.files
        self._log_worker = surroundings.log_worker
        self._bulk_worker = surroundings.bulk_worker
        self._fatal = surroundings.fatal
        self._report = surroundings.report
        self._limits = limits
        self._identity = identity
        self._installed = installed
        self._log_bytes = 0
        """Log written up to the newest snapshot."""
        self._writing = False
        self._task: asyncio.Task[None] | None = None
        self.disk_low = False
        self._closed = False
        self._not_before_s = 0.0
        """After a failure, when a snapshot may be tried again."""

    # -- making

    def make_if_due(self) -> None:
        """Begin a snapshot when enough log was written since the last, or disk runs
        low.
        """
        limits = self._limits
        due_bytes = log_kept_bytes(self.newest, limits)
        if self.disk_low:
            due_bytes = min(due_bytes, limits.segment_bytes)
        if self._wal.bytes_written - self._log_bytes >= due_bytes:
            self.make()

    def make(self) -> None:
        """Begin a snapshot of the present state, unless one is under way or useless."""
        index = self._ledger.index
        term = self._journal.term_at(index)
        newest = 0 if self.newest is None else self.newest.index
        if self._writing or not self._core.applying or term is None or index <= newest:
            return
        if library.now_s() < self._not_before_s:
            return
        self._writing = True
        identity = self._identity()
        meta = SnapshotMeta(
            index, term, identity.cluster_id, identity.epoch, identity.members
        )
        log_bytes = self._wal.bytes_written
        chunks = self._ledger.snapshot()
        low = self.disk_low

        def write() -> SnapshotMeta:
            if low:
                self._store.release_reserve()
            return self._store.write(meta, chunks)

        def written(meta: SnapshotMeta) -> None:
            self._writing = False
            self._log_bytes = log_bytes
            self._adopt(meta)
            self.made += 1
            fields: dict[str, object] = {"index": meta.index, "bytes": meta.size_bytes}
            self._report("made a snapshot", fields)

        self._bulk_worker.submit(write, written, self._write_failed)

    def _write_failed(self, error: BaseException) -> None:
        # The former snapshot and the whole log are still there: nothing is lost yet.
        self._writing = False
        self._not_before_s = library.now_s() + RETRY_S
        self._report("could not make a snapshot", {"error": str(error)})

    def _adopt(self, meta: SnapshotMeta) -> None:
        self.newest = meta
        kept_from = meta.index - self._limits.trailing_entries
        self._journal.compact(kept_from)
        first = self._journal.first_index
        self._log_worker.submit(
            lambda: self._wal.drop_before(first), lambda _: None, self._disk_failed
        )

    def _disk_failed(self, error: BaseException) -> None:
        self._fatal(f"the disk failed: {error}")

    def check_disk(self) -> None:
        """Look how much disk is left; hold some back while there is plenty."""

        def seen(free_bytes: int) -> None:
            low = free_bytes < self._limits.disk_low_bytes
            if low != self.disk_low:
                self.disk_low = low
                self._report("disk low" if low else "disk no longer low", {})
            self._hold_back(free_bytes)

        self._log_worker.submit(self._files.free_bytes, seen, self._look_failed)

    def _look_failed(self, error: BaseException) -> None:
        # Nothing was written that anybody counts on: the next look tries again.
        self._report("could not look after the disk's space", {"error": str(error)})

    def _hold_back(self, free_bytes: int) -> None:
        reserve_bytes = self._limits.reserve_bytes
        has_plenty = free_bytes >= self._limits.disk_low_bytes + reserve_bytes
        if has_plenty and not self._writing and not self._closed:
            self._bulk_worker.submit(
                lambda: self._store.take_reserve(reserve_bytes),
                lambda _: None,
                self._look_failed,
            )

    # -- installing

    def is_known(self, index: int, term: int) -> bool:
        """Whether an offered snapshot is already part of our state or log.

        What a snapshot covers is committed, so a log that holds its last entry may
        commit up to there (else the leader would offer it for ever).
        """
        core = self._core
        if core.raftLastApplied >= index:
            return True
        if self._journal.term_at(index) == term:
            core.commit_up_to(index)
            return True
        return False

    def install(self, meta: SnapshotMeta) -> None:
        """Replace the state by the received snapshot, which is on disk."""
        if self._closed:
            return
        self._core.applying = False
        self._task = asyncio.get_running_loop().create_task(self._install(meta))

    async def _install(self, meta: SnapshotMeta) -> None:
        try:
            chunks = await in_worker(
                self._bulk_worker, lambda: list(self._store.chunks(meta))
            )
            if self._core.raftLastApplied < meta.index:
                await restore_in_slices(self._ledger, iter(chunks))
        except Exception as error:
            self._fatal(f"a received snapshot could not be installed: {error}")
        if self._core.raftLastApplied < meta.index:
            if self._journal.term_at(meta.index) != meta.term:
                self._journal.reset(meta.index, meta.term)
            self._core.installed(meta.index, meta.term)
        self._core.applying = True
        self._log_bytes = self._wal.bytes_written
        self.installs += 1
        self._adopt(meta)
        self._report("installed a snapshot", {"index": meta.index})
        self._installed(meta.index)

    def cancel(self) -> None:
        """End an install under way: the replica stops."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
