"""Journal records on their way to the disk: one sync under way at a time, in the log
worker.

What gathers while a sync runs makes up the next, so syncs grow with the load.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from cluster.identity import Identity
from cluster.ports import Surroundings, Worker
from cluster.raft import library
from cluster.raft.journal import RaftJournal
from cluster.storage.wal import Wal


class LogWriter:
    """Writes the journal's records; ``synced()`` is told after each sync."""

    def __init__(
        self,
        journal: RaftJournal,
        wal: Wal,
        surroundings: Surroundings,
        synced: Callable[[], None],
        *,
        slow_s: float,
    ) -> None:
        self._journal = journal
        self._wal = wal
        self._worker: Worker = surroundings.log_worker
        self._fatal: Callable[[str], NoReturn] = surroundings.fatal
        self._synced = synced
        self._slow_s = slow_s
        self._is_busy = False
        self._began_s = 0.0
        self.syncs = 0
        self.slow_syncs = 0
        """Syncs longer than an election timeout: each may have cost the leadership."""
        self.last_sync_s = 0.0

    def write(self) -> None:
        """Hand waiting records to the worker, unless a sync is under way."""
        if self._is_busy or not self._journal.has_pending:
            return
        self._is_busy = True
        self._began_s = library.now_s()
        records, token = self._journal.take()

        def synced(_: None) -> None:
            self.syncs += 1
            self.last_sync_s = self.busy_s()
            self._is_busy = False
            if self.last_sync_s > self._slow_s:
                self.slow_syncs += 1
            self._journal.synced(token)
            self._synced()

        self._worker.submit(lambda: self._wal.write(records), synced, self.failed)

    def busy_s(self) -> float:
        """How long the sync under way has taken so far; 0 when there is none."""
        return library.now_s() - self._began_s if self._is_busy else 0.0

    def write_identity(self, identity: Identity, done: Callable[[], None]) -> None:
        """Make ``identity`` durable; ``done`` is called when it is."""
        self._worker.submit(
            lambda: self._wal.write_identity(identity), lambda _: done(), self.failed
        )

    async def wait_synced(self) -> None:
        """Return once everything that the journal holds now is on disk."""
        mark = self._journal.mark
        while self._journal.synced_mark < mark:
            self.write()
            await asyncio.sleep(0.001)

    def failed(self, error: BaseException) -> None:
        """End the replica: nothing that depended on the disk has left it.

        No retry on that descriptor: a later sync may wrongly succeed. The next start
        looks at what is really there.
        """
        self._fatal(f"the disk failed: {error}")

    def close(self) -> None:
        """Close the log's file; in the worker."""
        self._wal.close()
