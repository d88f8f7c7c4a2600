"""One file of the log: its name, its header, and what can be read of it.

A segment gets its name only once its header is on disk (written under a temporary
name, synced, renamed), so a segment with a damaged header is always rot, and a crash
while rotating leaves at most a temporary file.
"""

import re
import struct
from dataclasses import dataclass

import msgspec

from cluster.errors import DiskCorrupt, StartRefused
from cluster.identity import FORMAT_VERSION, Identity
from cluster.ports import AppendFile, Files
from cluster.storage.batch import Batch, encode_batch, proves_synced, read_batch

TEMPORARY = ".tmp"
_NAME = re.compile(r"wal-([0-9a-f]{16})\.log")
_VERSION = struct.Struct("<H")
_SLICE_BYTES = 1024 * 1024


class SegmentHeader(msgspec.Struct, frozen=True):
    """Whose segment it is, and the state before its first batch, so older ones can go.

    ``last_term`` is 0 when it is not known (everything before was truncated away).
    ``previous_bytes`` is the final length of the segment before (0 for the first one).
    """

    identity: Identity
    sequence: int
    term: int = 0
    voted_for: str | None = None
    commit_index: int = 0
    last_index: int = 0
    last_term: int = 0
    previous_bytes: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SegmentHeader)


@dataclass(frozen=True, slots=True)
class SegmentContent:
    """A segment as found on disk: the valid part, and how much more there was.

    Invariant: ``batches`` are contiguous and end at ``valid_bytes``.
    """

    header: SegmentHeader
    data: bytes
    batches: list[Batch]
    valid_bytes: int

    @property
    def torn_bytes(self) -> int:
        """Bytes of an unfinished write behind the valid part."""
        return len(self.data) - self.valid_bytes


def segment_name(sequence: int) -> str:
    """Return the file name of a segment."""
    return f"wal-{sequence:016x}.log"


def sequence_of(name: str) -> int | None:
    """Return the sequence of a segment's file name; None for any other file."""
    match = _NAME.fullmatch(name)
    return int(match[1], 16) if match else None


def is_leftover(name: str) -> bool:
    """Whether a crash left this file while a segment was begun."""
    base = name.removesuffix(TEMPORARY)
    return base != name and sequence_of(base) is not None


def encode_header(header: SegmentHeader) -> bytes:
    """Return the first batch of a segment."""
    payload = _VERSION.pack(FORMAT_VERSION) + _encoder.encode(header)
    return encode_batch(payload, sequence=header.sequence, offset=0, synced_bytes=0)


def begin_segment(files: Files, sequence: int, content: bytes) -> AppendFile:
    """Make, or replace, a segment with ``content``, all of it and its name synced."""
    name = segment_name(sequence)
    temporary = name + TEMPORARY
    file = files.open_append(temporary)
    try:
        for start in range(0, len(content), _SLICE_BYTES):
            file.write(content[start : start + _SLICE_BYTES])
        file.sync()
        files.rename(temporary, name)
        files.sync_directory()
    except BaseException:
        file.close()
        raise
    return file


def read_segment(files: Files, sequence: int, *, newest: bool) -> SegmentContent:
    """Read and judge one segment.

    Raises DiskCorrupt for rot: damage before a length that is proven synced, by a
    later batch or (not ``newest``) by the existence of a later segment. Damage at the
    end of the newest segment is a torn write, which was never acknowledged.
    """
    name = segment_name(sequence)
    data = _read_all(files, name)
    head = read_batch(data, 0, sequence)
    if head is None:
        raise DiskCorrupt(f"{name}: damaged at offset 0 (segment header)")
    header = _decode_header(name, data[head.start : head.end])
    if header.sequence != sequence:
        raise DiskCorrupt(f"{name}: is segment {header.sequence} under another name")
    batches: list[Batch] = []
    place = head.end
    while place < len(data):
        batch = read_batch(data, place, sequence)
        if batch is None:
            if not newest or proves_synced(data, place, sequence):
                raise DiskCorrupt(
                    f"{name}: damaged at offset {place}, in data that was synced"
                )
            break
        batches.append(batch)
        place = batch.end
    return SegmentContent(header, data, batches, place)


def _read_all(files: Files, name: str) -> bytes:
    file = files.open_read(name)
    try:
        size = file.size()
        parts: list[bytes] = []
        read_bytes = 0
        while read_bytes < size:
            part = file.read_at(read_bytes, size - read_bytes)
            if not part:
                break
            parts.append(part)
            read_bytes += len(part)
        return b"".join(parts)
    finally:
        file.close()


def _decode_header(name: str, payload: bytes) -> SegmentHeader:
    if len(payload) < _VERSION.size:
        raise DiskCorrupt(f"{name}: the segment header is empty")
    version = _VERSION.unpack_from(payload)[0]
    if version > FORMAT_VERSION:
        raise StartRefused(
            f"{name}: written by a newer version of this program "
            f"(format {version}, this one reads up to {FORMAT_VERSION})"
        )
    try:
        return _decoder.decode(memoryview(payload)[_VERSION.size :])
    except msgspec.MsgspecError as error:
        raise DiskCorrupt(f"{name}: segment header not understood: {error}") from error
