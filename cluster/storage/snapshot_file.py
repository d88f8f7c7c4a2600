"""The format of a snapshot file: header, chunks, trailer, each under a checksum. Pure.

    kind | payload length | CRC32 | payload         for each frame

The CRC also covers the frame's number, so frames cannot be swapped or repeated; the
trailer holds the number of chunks and a CRC over all of them, so a file that was cut
between two frames is seen.
"""

import struct
import zlib
from collections.abc import Iterator

import msgspec

from cluster.identity import FORMAT_VERSION
from cluster.ports import ReadFile

CHUNK_BYTES = 1024 * 1024
"""The largest chunk (see StateMachine.snapshot)."""

_FRAME = struct.Struct("<4sBII")
_COVERED = struct.Struct("<QBI")
_VERSION = struct.Struct("<H")
_TRAILER = struct.Struct("<QI")
_MAGIC = b"\xc1SNP"
_HEADER, _CHUNK, _TRAILER_KIND = 1, 2, 3


class SnapshotMeta(msgspec.Struct, frozen=True):
    """What a snapshot contains: everything up to the entry ``index`` of ``term``.

    ``size_bytes`` is the file's, set for snapshots that are on disk.
    """

    index: int
    term: int
    cluster_id: str
    epoch: int
    members: tuple[str, ...]
    size_bytes: int = 0


class SnapshotDamaged(Exception):
    """The bytes are not a whole snapshot; the message says where and why."""


class NewerFormat(Exception):
    """The file was written by a newer version of this program."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SnapshotMeta)


class SnapshotEncoder:
    """Makes the frames of one snapshot, in order: header, chunks, trailer."""

    def __init__(self) -> None:
        self._frames = 0
        self._chunks_crc = 0

    def header(self, meta: SnapshotMeta) -> bytes:
        """Return the first frame."""
        bare = msgspec.structs.replace(meta, size_bytes=0)
        payload = _VERSION.pack(FORMAT_VERSION) + _encoder.encode(bare)
        return self._frame(_HEADER, payload)

    def chunk(self, payload: bytes) -> bytes:
        """Return the frame of the next chunk. Raises ValueError if it is too large."""
        if len(payload) > CHUNK_BYTES:
            raise ValueError(f"a chunk of {len(payload)} bytes is too large")
        self._chunks_crc = zlib.crc32(payload, self._chunks_crc)
        return self._frame(_CHUNK, payload)

    def trailer(self) -> bytes:
        """Return the last frame."""
        payload = _TRAILER.pack(self._frames - 1, self._chunks_crc)
        return self._frame(_TRAILER_KIND, payload)

    def _frame(self, kind: int, payload: bytes) -> bytes:
        crc = _crc(self._frames, kind, payload)
        self._frames += 1
        return _FRAME.pack(_MAGIC, kind, len(payload), crc) + payload


def _crc(number: int, kind: int, payload: bytes) -> int:
    covered = _COVERED.pack(number, kind, len(payload))
    return zlib.crc32(payload, zlib.crc32(covered))


def read_meta(file: ReadFile) -> SnapshotMeta:
    """Return what the header says. Raises SnapshotDamaged or NewerFormat."""
    kind, payload = _read_frame(file, 0, 0)
    if kind != _HEADER or len(payload) < _VERSION.size:
        raise SnapshotDamaged("at offset 0: no header")
    version = _VERSION.unpack_from(payload)[0]
    if version > FORMAT_VERSION:
        raise NewerFormat(
            f"written by a newer version of this program (format {version}, "
            f"this one reads up to {FORMAT_VERSION})"
        )
    try:
        meta = _decoder.decode(memoryview(payload)[_VERSION.size :])
    except msgspec.MsgspecError as error:
        raise SnapshotDamaged(f"header not understood: {error}") from error
    return msgspec.structs.replace(meta, size_bytes=file.size())


def read_chunks(file: ReadFile) -> Iterator[bytes]:
    """Yield the chunks; at the end the whole file has been verified.

    Raises SnapshotDamaged or NewerFormat, possibly after good chunks were yielded.
    """
    read_meta(file)
    place = len(_read_frame(file, 0, 0)[1]) + _FRAME.size
    number, chunks_crc = 1, 0
    while True:
        kind, payload = _read_frame(file, place, number)
        place += _FRAME.size + len(payload)
        if kind == _TRAILER_KIND:
            break
        if kind != _CHUNK:
            raise SnapshotDamaged(f"before offset {place}: a frame of kind {kind}")
        number += 1
        chunks_crc = zlib.crc32(payload, chunks_crc)
        yield payload
    if payload != _TRAILER.pack(number - 1, chunks_crc):
        raise SnapshotDamaged("the trailer does not match the chunks")
    if place != file.size():
        raise SnapshotDamaged(f"at offset {place}: bytes behind the trailer")


def verify(file: ReadFile) -> SnapshotMeta:
    """Read the whole file once. Raises SnapshotDamaged or NewerFormat."""
    for _ in read_chunks(file):
        pass
    return read_meta(file)


def _read_frame(file: ReadFile, place: int, number: int) -> tuple[int, bytes]:
    head = file.read_at(place, _FRAME.size)
    if len(head) < _FRAME.size:
        raise SnapshotDamaged(f"at offset {place}: the file ends too early")
    magic, kind, length, crc = _FRAME.unpack(head)
    if magic != _MAGIC or length > CHUNK_BYTES:
        raise SnapshotDamaged(f"at offset {place}: damaged")
    payload = file.read_at(place + _FRAME.size, length)
    if len(payload) != length or _crc(number, kind, payload) != crc:
        raise SnapshotDamaged(f"at offset {place}: damaged")
    return kind, payload
