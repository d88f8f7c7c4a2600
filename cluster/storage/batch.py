"""Frames of a segment: everything that one sync covers, under one checksum. Pure.

    magic | payload length | CRC32 | synced length | payload

The checksum also covers the segment's sequence and the batch's offset, which are not
written: bytes of another place (a stale block, or a client's data that looks like a
batch) never pass for a batch here.

Why the synced length: after damage it tells rot from a torn write. A batch that was
written when ``synced`` bytes were already on disk proves that damage before that
length cannot be an unfinished write.
"""

import struct
import zlib
from typing import NamedTuple

MAGIC = b"\xc1WAL"
_HEAD = struct.Struct("<4sIIQ")
_COVERED = struct.Struct("<QQIQ")
HEAD_BYTES = _HEAD.size


class Batch(NamedTuple):
    """Where a valid batch's payload lies, and what its writer knew to be synced."""

    start: int
    end: int
    synced_bytes: int


def encode_batch(
    payload: bytes, *, sequence: int, offset: int, synced_bytes: int
) -> bytes:
    """Return the frame to append at ``offset`` of segment ``sequence``."""
    covered = _COVERED.pack(sequence, offset, len(payload), synced_bytes)
    crc = zlib.crc32(payload, zlib.crc32(covered))
    return _HEAD.pack(MAGIC, len(payload), crc, synced_bytes) + payload


def read_batch(data: bytes, offset: int, sequence: int) -> Batch | None:
    """Return the batch at ``offset``, or None if none is whole and undamaged there."""
    if offset + HEAD_BYTES > len(data):
        return None
    magic, length, crc, synced_bytes = _HEAD.unpack_from(data, offset)
    start = offset + HEAD_BYTES
    end = start + length
    if magic != MAGIC or end > len(data) or synced_bytes > offset:
        return None
    covered = _COVERED.pack(sequence, offset, length, synced_bytes)
    if zlib.crc32(memoryview(data)[start:end], zlib.crc32(covered)) != crc:
        return None
    return Batch(start, end, synced_bytes)


def proves_synced(data: bytes, bad_offset: int, sequence: int) -> bool:
    """Whether a later batch shows that what is damaged at ``bad_offset`` was synced."""
    place = data.find(MAGIC, bad_offset + 1)
    while place >= 0:
        # The cheap test first: client data full of magics must not cost a CRC each.
        if place + HEAD_BYTES <= len(data):
            synced_bytes = _HEAD.unpack_from(data, place)[3]
            if bad_offset < synced_bytes <= place and read_batch(data, place, sequence):
                return True
        place = data.find(MAGIC, place + 1)
    return False
