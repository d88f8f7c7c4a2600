"""The log in memory, and which part of it is on disk: PySyncObj's Journal, made
durable.

The library adds entries and counts them at once. Here each change becomes a record that
waits for the log worker; ``mark`` and ``synced_mark`` count records, and
``durable_index`` is the last entry whose record, and whose place in the log, is synced.
Nothing that depends on a record leaves this replica before it is synced: see
``transport`` and ``core``.

Answers the defects: nothing is fsynced; compaction in place loses entries; the
persisted commit index may lie beyond the log; a truncation voids the mark of a sync
under way.
"""

from typing import overload

from cluster.entry import NO_OP, LogEntry
from cluster.raft.library import Journal
from cluster.storage.records import Commit, Entry, HardState, Record, Reset, Truncate

MAX_SLICE = 4096
"""Entries that one slice returns: the library cuts further by bytes, so it only sends
less.
"""


class RaftJournal(Journal):  # type: ignore[misc]
    """Entries in memory, and records on their way to the disk.

    Invariant: ``log`` is never empty once started, and its indexes are contiguous.
    Invariant: ``durable_index`` <= last index, and never covers a truncated entry.
    """

    def __init__(
        self, log: list[LogEntry], term: int, voted_for: str | None, commit_index: int
    ) -> None:
        self.log = log
        self.mark = 0
        self.synced_mark = 0
        self.durable_index = 0
        self._pending: list[Record] = []
        self._term = term
        self._voted_for = voted_for
        last = log[-1][1] if log else 0
        self._commit_index = min(commit_index, last) if last else 1
        self._commit_written = self._commit_index
        self._truncations = 0
        # What was read back may still lie in the page cache of a killed process only:
        # the first sync must cover it before anybody counts it.
        self._append(HardState(term, voted_for))

    @property
    def first_index(self) -> int:
        """Index of the oldest entry in memory."""
        return self.log[0][1]

    @property
    def last_index(self) -> int:
        """Index of the newest entry."""
        return self.log[-1][1]

    def term_at(self, index: int) -> int | None:
        """Return the term of the entry at ``index``, None if it is not in memory."""
        offset = index - self.log[0][1]
        return self.log[offset][2] if 0 <= offset < len(self.log) else None

    # -- records on their way to the disk

    @property
    def has_pending(self) -> bool:
        """Whether records wait to be written."""
        return bool(self._pending)

    def take(self) -> tuple[list[Record], tuple[int, int, int]]:
        """Hand over the waiting records, and a token for ``synced``."""
        records, self._pending = self._pending, []
        if self._commit_index != self._commit_written:
            self._commit_written = self._commit_index
            records.append(Commit(self._commit_index))
        return records, (self.mark, self.last_index, self._truncations)

    def synced(self, token: tuple[int, int, int]) -> None:
        """The records taken with ``token`` are on disk."""
        mark, last_index, truncations = token
        self.synced_mark = mark
        if truncations == self._truncations:
            self.durable_index = last_index
        # else: the tail that this sync covered was cut meanwhile; the next sync,
        # which holds the Truncate record, moves the mark again.

    def _append(self, record: Record) -> None:
        self._pending.append(record)
        self.mark += 1

    # -- our own changes

    def compact(self, before_index: int) -> None:
        """Forget entries before ``before_index`` (a snapshot covers them); keep at
        least two.
        """
        offset = min(before_index - self.first_index, len(self.log) - 2)
        if offset > 0:
            del self.log[:offset]

    def reset(self, index: int, term: int) -> None:
        """Replace the log by the base entry of an installed snapshot."""
        self.log[:] = [(NO_OP, index, term)]
        self._cut(index)
        self._commit_index = max(self._commit_index, index)
        self._append(Reset(index, term))

    def _cut(self, last_kept: int) -> None:
        self._truncations += 1
        self.durable_index = min(self.durable_index, last_kept)

    # -- the library's interface

    def add(self, command: bytes, index: int, term: int) -> None:
        """Append an entry."""
        self.log.append((command, index, term))
        self._append(Entry(index, term, command))

    def clear(self) -> None:
        """Refuse: only the library's snapshot loading, which is replaced, clears."""
        message = "the log is replaced by reset() only"
        raise RuntimeError(message)

    def deleteEntriesFrom(self, offset: int) -> None:  # noqa: N802
        """Drop the entries from ``offset`` in memory on."""
        if offset < len(self.log):
            first_dropped = self.log[offset][1]
            if first_dropped <= self._commit_index:
                message = f"refusing to truncate committed entry {first_dropped}"
                raise RuntimeError(message)
            del self.log[offset:]
            self._cut(first_dropped - 1)
            self._append(Truncate(first_dropped))

    def deleteEntriesTo(self, offset: int) -> None:  # noqa: N802
        """Refuse: compaction is ours (``compact``)."""
        message = "the log is compacted by compact() only"
        raise RuntimeError(message)

    @overload
    def __getitem__(self, item: int) -> LogEntry: ...
    @overload
    def __getitem__(self, item: slice) -> list[LogEntry]: ...
    def __getitem__(self, item: int | slice) -> LogEntry | list[LogEntry]:
        """Return an entry, or a slice of at most MAX_SLICE entries."""
        if isinstance(item, slice) and item.stop is None and item.start is not None:
            return self.log[item.start : item.start + MAX_SLICE]
        return self.log[item]

    def __len__(self) -> int:
        """Return how many entries are in memory."""
        return len(self.log)

    def _destroy(self) -> None:
        """Nothing to release: the owner closes the worker."""

    def setRaftCommitIndex(self, index: int) -> None:  # noqa: N802
        """Remember the commit index; it is written along with the next sync."""
        self._commit_index = max(index, self._commit_index)

    def getRaftCommitIndex(self) -> int:  # noqa: N802
        """Return the persisted commit index, never beyond the last entry."""
        return self._commit_index

    def setCurrentTerm(self, term: int, voted_for: str | None) -> None:  # noqa: N802
        """Record term and vote: no message sent after this leaves before its sync."""
        self._term, self._voted_for = term, voted_for
        self._append(HardState(term, voted_for))

    def getCurrentTerm(self) -> int:  # noqa: N802
        """Return the term of the last HardState."""
        return self._term

    def getVotedForNodeId(self) -> str | None:  # noqa: N802
        """Return whom this replica voted for in its term."""
        return self._voted_for

    def onOneSecondTimer(self) -> None:  # noqa: N802
        """Nothing: the commit index rides with each sync."""
