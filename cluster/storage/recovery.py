"""Reading the log at start: replay every segment, tell rot from a torn tail.

| found                                         | means           | then |
| --------------------------------------------- | --------------- | --- |
| temporary segment file                        | crash in rotate | removed |
| bad batch, the newest segment's last          | torn write      | cut, told |
| bad batch before a length proven synced       | rot             | DiskCorrupt |
| bad header, missing or shortened segment      | rot, lost files | DiskCorrupt |
| segment of a newer format                     | downgrade       | StartRefused |
| any other file                                | not ours        | ignored |

The newest segment is written anew before it is used. Its last batch may be in the
page cache alone: after a crash it may not have been synced, and after a *failed* sync
the kernel shows pages as clean that never reached the disk. Acknowledging such a batch
later would break the promise of the log, and another fsync would not notice.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from cluster.errors import DiskCorrupt, StartRefused
from cluster.identity import Identity
from cluster.ports import AppendFile, Files
from cluster.storage.batch import HEAD_BYTES
from cluster.storage.log_state import LogState
from cluster.storage.records import NO_OP, Entry, Record, Reset, Truncate, decode
from cluster.storage.reserve import is_full, release
from cluster.storage.segment import (
    TEMPORARY,
    SegmentContent,
    SegmentHeader,
    begin_segment,
    is_leftover,
    read_segment,
    segment_name,
    sequence_of,
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the log held: entries as (command, index, term), ascending without a gap.

    ``identity`` is None when there was no log. ``commit_index`` is never beyond the
    last entry. ``torn_bytes`` were an unfinished write, cut off.
    """

    identity: Identity | None
    entries: list[tuple[bytes, int, int]]
    term: int
    voted_for: str | None
    commit_index: int
    torn_bytes: int
    segments: int


@dataclass(slots=True)
class LiveSegment:
    """A segment on disk; no entry after ``last_index`` in it is in the log any more."""

    sequence: int
    last_index: int
    size_bytes: int


class Replay:
    """The log as read so far.

    Invariant: ``segments`` are in order; the last one is open as ``file``.
    """

    def __init__(self) -> None:
        self.state = LogState()
        self.entries: list[tuple[bytes, int, int]] = []
        self.segments: list[LiveSegment] = []
        self.identity: Identity | None = None
        self.file: AppendFile | None = None
        self.torn_bytes = 0

    def recovered(self) -> Recovered:
        """Return what the owner of the log needs."""
        return Recovered(
            identity=self.identity,
            entries=self.entries,
            term=self.state.term,
            voted_for=self.state.voted_for,
            commit_index=min(self.state.commit_index, self.state.last_index),
            torn_bytes=self.torn_bytes,
            segments=len(self.segments),
        )

    def follow(self, content: SegmentContent) -> None:
        """Replay one segment behind those before it. Raises DiskCorrupt."""
        header = content.header
        name = segment_name(header.sequence)
        if self.segments:
            self._check_follows(name, header)
        else:
            self.state = LogState.at_start_of(header)
        self._check_identity(name, header.identity)
        segment = LiveSegment(header.sequence, 0, content.valid_bytes)
        self.segments.append(segment)
        for batch in content.batches:
            try:
                records = decode(content.data, batch.start, batch.end)
                self.state.apply(records)
            except ValueError as error:
                place = batch.start - HEAD_BYTES
                raise DiskCorrupt(f"{name}: offset {place}: {error}") from error
            self._collect(records)
            note_records(self.segments, records)

    def _check_follows(self, name: str, header: SegmentHeader) -> None:
        before = self.segments[-1]
        if header.sequence != before.sequence + 1:
            missing = segment_name(before.sequence + 1)
            raise DiskCorrupt(f"{missing} is missing, but {name} is there")
        if header.previous_bytes != before.size_bytes:
            raise DiskCorrupt(
                f"{segment_name(before.sequence)}: has {before.size_bytes} bytes, but "
                f"{header.previous_bytes} were synced"
            )
        if not self.state.agrees_with(header):
            raise DiskCorrupt(f"{name}: does not continue the segment before it")

    def _check_identity(self, name: str, identity: Identity) -> None:
        known = self.identity
        if known is not None and (
            identity.node_id != known.node_id
            or (known.cluster_id and identity.cluster_id != known.cluster_id)
        ):
            raise DiskCorrupt(
                f"{name}: belongs to node {identity.node_id!r} of cluster "
                f"{identity.cluster_id!r}, the segments before it to node "
                f"{known.node_id!r} of cluster {known.cluster_id!r}"
            )
        self.identity = identity

    def _collect(self, records: list[Record]) -> None:
        entries = self.entries
        for record in records:
            if isinstance(record, Entry):
                entries.append((record.command, record.index, record.term))
            elif isinstance(record, Truncate):
                if entries:
                    del entries[max(0, record.from_index - entries[0][1]) :]
            elif isinstance(record, Reset):
                entries[:] = [(NO_OP, record.index, record.term)]


def note_records(segments: list[LiveSegment], records: Sequence[Record]) -> None:
    """Keep ``last_index`` of the segments true, ``records`` being in the last one."""
    for record in records:
        if isinstance(record, Entry):
            segments[-1].last_index = record.index
        elif isinstance(record, Truncate):
            for segment in segments:
                segment.last_index = min(segment.last_index, record.from_index - 1)
        elif isinstance(record, Reset):
            for segment in segments:
                segment.last_index = 0
            segments[-1].last_index = record.index


def replay(files: Files) -> Replay:
    """Read the whole log and make its end ready for appending.

    Raises DiskCorrupt or StartRefused (see the table above) before it changes anything
    but leftovers.
    """
    result = Replay()
    names = files.names()
    leftovers = [name for name in names if is_leftover(name)]
    for name in leftovers:
        files.unlink(name)
    sequences = [s for s in map(sequence_of, names) if s is not None]
    content: SegmentContent | None = None
    for sequence in sequences:
        content = read_segment(files, sequence, newest=sequence == sequences[-1])
        result.follow(content)
    if content is not None:
        result.torn_bytes = content.torn_bytes
        valid = content.data[: content.valid_bytes]
        result.file = _write_anew(files, content.header.sequence, valid)
    elif leftovers:
        files.sync_directory()
    return result


def _write_anew(files: Files, sequence: int, valid: bytes) -> AppendFile:
    """Replace the newest segment by a copy of its valid part, surely on disk."""
    for released in (False, True):
        try:
            return begin_segment(files, sequence, valid)
        except OSError as error:
            if not is_full(error):
                raise
            with suppress(FileNotFoundError):
                files.unlink(segment_name(sequence) + TEMPORARY)
            # A replica on a full disk must come up, to say so and to make room.
            if released or not release(files):
                raise StartRefused(
                    f"the disk is full: the log needs {len(valid)} bytes to recover"
                ) from error
    raise AssertionError("the second attempt returned or raised")
