"""The write-ahead log: records in, one write and one sync per batch.

Runs in the log's worker thread (``recover`` before it is started); the counters may be
read from anywhere. A batch is on disk when ``write`` returns, and only then may what
it allows leave this replica.

After a failed write or sync nothing is known of the file's end, and a later sync may
wrongly succeed. So the log is unusable from then on: its owner ends the process, and
recovery looks at what is really there.
"""

import errno
from collections.abc import Callable, Sequence

from cluster.config import Limits
from cluster.identity import Identity
from cluster.ports import AppendFile, Files
from cluster.storage.batch import encode_batch
from cluster.storage.records import Record, encode
from cluster.storage.recovery import (
    LiveSegment,
    Recovered,
    Replay,
    note_records,
    replay,
)
from cluster.storage.segment import (
    SegmentHeader,
    begin_segment,
    encode_header,
    segment_name,
)


class Wal:
    """The log's segments.

    Invariant: everything but the newest segment is completely synced; the newest one
    is synced up to its size whenever no call is under way.
    """

    def __init__(self, files: Files, segment_bytes: int, found: Replay) -> None:
        self._files = files
        self._segment_bytes = segment_bytes
        self._state = found.state
        self._segments: list[LiveSegment] = found.segments
        self._identity = found.identity
        self._file: AppendFile | None = found.file
        self._failure: BaseException | None = None
        self.bytes_written = sum(segment.size_bytes for segment in self._segments)
        """Bytes of the log found at start and written since; never goes down."""

    @classmethod
    def recover(
        cls, files: Files, limits: Limits | None = None
    ) -> tuple["Wal", Recovered]:
        """Read what is there, cut a torn tail, and return the log ready for writing.

        Raises DiskCorrupt or StartRefused when the disk does not hold what was synced
        to it, or is not this program's; OSError when it cannot be read or written.
        """
        found = replay(files)
        wal = cls(files, (limits or Limits()).segment_bytes, found)
        return wal, found.recovered()

    @property
    def segments(self) -> int:
        """Number of segment files."""
        return len(self._segments)

    def write(self, records: Sequence[Record]) -> None:
        """Return once all ``records`` are on disk.

        Raises OSError when they may not be (then, and on every later call); ValueError
        for records that do not continue the log, before anything is written.
        """
        if not records:
            return
        self._guarded(lambda: self._write(records))

    def write_identity(self, identity: Identity) -> None:
        """Return once ``identity`` is on disk: it begins a new segment."""
        self._guarded(lambda: self._rotate(identity))

    def drop_before(self, index: int) -> None:
        """Remove segments whose entries all come before ``index``, never the newest."""
        self._guarded(lambda: self._drop_before(index))

    def close(self) -> None:
        """Close the newest segment; everything written was synced."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._failure = self._failure or ValueError("it is closed")

    def _guarded(self, step: Callable[[], None]) -> None:
        if self._failure is not None:
            raise OSError(
                errno.EIO, f"the log is unusable: {self._failure}"
            ) from self._failure
        try:
            step()
        except BaseException as error:
            self._failure = error
            raise

    def _write(self, records: Sequence[Record]) -> None:
        if self._identity is None:
            raise ValueError("the log has no identity yet")
        if self._segments[-1].size_bytes >= self._segment_bytes:
            self._rotate(self._identity)
        segment, file = self._segments[-1], self._file
        assert file is not None
        self._state.apply(records)
        batch = encode_batch(
            encode(records),
            sequence=segment.sequence,
            offset=segment.size_bytes,
            synced_bytes=segment.size_bytes,
        )
        file.write(batch)
        file.sync()
        segment.size_bytes += len(batch)
        self.bytes_written += len(batch)
        note_records(self._segments, records)

    def _rotate(self, identity: Identity) -> None:
        """Begin the next segment; the old one is already synced to its end."""
        last = self._segments[-1] if self._segments else LiveSegment(0, 0, 0)
        state = self._state
        header = SegmentHeader(
            identity=identity,
            sequence=last.sequence + 1,
            term=state.term,
            voted_for=state.voted_for,
            commit_index=state.commit_index,
            last_index=state.last_index,
            last_term=state.last_term,
            previous_bytes=last.size_bytes,
        )
        content = encode_header(header)
        file = begin_segment(self._files, header.sequence, content)
        if self._file is not None:
            self._file.close()
        self._file = file
        self._identity = identity
        self._segments.append(LiveSegment(header.sequence, 0, len(content)))
        self.bytes_written += len(content)

    def _drop_before(self, index: int) -> None:
        while len(self._segments) > 1 and self._segments[0].last_index < index:
            self._files.unlink(segment_name(self._segments[0].sequence))
            # After each one: a power cut that kept a later unlink and lost an earlier
            # one would leave a gap, which looks like a lost segment.
            self._files.sync_directory()
            del self._segments[0]
        self._state.forget_before(index)
