"""What a batch of the log says: its records, and how they become bytes. Pure.

Little-endian, each record a type byte and fixed fields, so that a reader needs no
library and a record cannot be taken for another one. The checksum is the batch's.
"""

import struct
from collections.abc import Sequence

import msgspec

NO_OP = b"\x01"
"""The entry that says nothing: PySyncObj's first one, and the base after a reset."""

_ENTRY, _TRUNCATE, _HARD_STATE, _COMMIT, _RESET = range(1, 6)
_ENTRY_HEAD = struct.Struct("<BQQI")
_INDEX = struct.Struct("<BQ")
_INDEX_TERM = struct.Struct("<BQQ")
_HARD_STATE_HEAD = struct.Struct("<BQH")
_NO_VOTE = 0xFFFF


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One log entry."""

    index: int
    term: int
    command: bytes


class Truncate(msgspec.Struct, frozen=True, gc=False):
    """Entries at ``from_index`` and later are no longer in the log."""

    from_index: int


class HardState(msgspec.Struct, frozen=True, gc=False):
    """The current term, and whom this replica voted for in it."""

    term: int
    voted_for: str | None


class Commit(msgspec.Struct, frozen=True, gc=False):
    """Entries up to ``index`` are committed."""

    index: int


class Reset(msgspec.Struct, frozen=True, gc=False):
    """The log is now one base entry: a snapshot up to ``index`` was installed."""

    index: int
    term: int


Record = Entry | Truncate | HardState | Commit | Reset


def encode(records: Sequence[Record]) -> bytes:
    """Return the payload of a batch."""
    parts: list[bytes] = []
    for record in records:
        if isinstance(record, Entry):
            command = record.command
            parts += (
                _ENTRY_HEAD.pack(_ENTRY, record.index, record.term, len(command)),
                command,
            )
        elif isinstance(record, Commit):
            parts.append(_INDEX.pack(_COMMIT, record.index))
        elif isinstance(record, HardState):
            parts.append(_encode_hard_state(record))
        elif isinstance(record, Truncate):
            parts.append(_INDEX.pack(_TRUNCATE, record.from_index))
        else:
            parts.append(_INDEX_TERM.pack(_RESET, record.index, record.term))
    return b"".join(parts)


def _encode_hard_state(record: HardState) -> bytes:
    if record.voted_for is None:
        return _HARD_STATE_HEAD.pack(_HARD_STATE, record.term, _NO_VOTE)
    voted_for = record.voted_for.encode()
    if len(voted_for) >= _NO_VOTE:
        raise ValueError("a node id is too long to be recorded")
    head = _HARD_STATE_HEAD.pack(_HARD_STATE, record.term, len(voted_for))
    return head + voted_for


def decode(data: bytes, start: int, end: int) -> list[Record]:
    """Return the records in ``data[start:end]``.

    Raises ValueError for anything that ``encode`` does not write: the checksum was
    right, so it is no damage but a record of another program.
    """
    records: list[Record] = []
    place = start
    try:
        while place < end:
            kind = data[place]
            if kind == _ENTRY:
                _, index, term, length = _ENTRY_HEAD.unpack_from(data, place)
                place += _ENTRY_HEAD.size + length
                records.append(Entry(index, term, data[place - length : place]))
            elif kind == _COMMIT:
                records.append(Commit(_INDEX.unpack_from(data, place)[1]))
                place += _INDEX.size
            elif kind == _HARD_STATE:
                _, term, length = _HARD_STATE_HEAD.unpack_from(data, place)
                place += _HARD_STATE_HEAD.size
                voted_for = None
                if length != _NO_VOTE:
                    voted_for = data[place : place + length].decode()
                    place += length
                records.append(HardState(term, voted_for))
            elif kind == _TRUNCATE:
                records.append(Truncate(_INDEX.unpack_from(data, place)[1]))
                place += _INDEX.size
            elif kind == _RESET:
                records.append(Reset(*_INDEX_TERM.unpack_from(data, place)[1:]))
                place += _INDEX_TERM.size
            else:
                raise ValueError(f"record of unknown type {kind}")
    except struct.error as error:
        raise ValueError("a record is cut short") from error
    if place != end:
        raise ValueError("a record is longer than its batch")
    return records
