"""The replicated envelope around the user's state machine: numbered batches and a
running CRC.

A batch is proposed again, whole and under its number, until its outcome is known; so
the ledger, which is part of the replicated state, remembers the last batches of each
replica with their outcomes and returns those instead of applying twice (I6). The CRC
over what was answered lets replicas prove to each other that their states are equal
(I1).
"""

import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator

import msgspec

from cluster.entry import REGULAR
from cluster.state_machine import POSITIONS_PER_INDEX, StateMachine, UnknownCommand

FORMAT = 1
"""The newest format of the ledger's part of a snapshot that this version understands.
"""
REMEMBERED_BATCHES = 16
REMEMBERED_INCARNATIONS = 4
"""Per replica: copies of a batch may arrive late, but not over several of its restarts.
"""
PIECE_BYTES = 512 * 1024
"""The ledger's own part of a snapshot goes in chunks of at most this size."""
CHECK_EVERY = 16
CHECKS_KEPT = 256
INTERNAL_REFUSAL = b"\x91\x01"
"""The outcome when a handler fails by an ordinary exception: msgpack [1], on every
replica.
"""


class Batch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One log entry: commands proposed together by one life of one replica.

    ``schema`` is the one that all members had agreed on when it was proposed;
    ``raise_to`` raises that agreement (0: it does not).
    """

    schema: int
    replica: str
    incarnation: bytes
    number: int
    commands: list[bytes]
    raise_to: int = 0


class BatchResult(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a batch was applied first, and what each command answered."""

    index: int
    outcomes: list[bytes]


class _Header(msgspec.Struct, frozen=True, array_like=True):
    """First chunk of a snapshot: everything of the ledger itself."""

    format: int
    min_schema: int
    index: int
    crc: int
    sessions: list[tuple[str, list[tuple[bytes, list[tuple[int, BatchResult]]]]]]


_encoder = msgspec.msgpack.Encoder()
_batch_decoder = msgspec.msgpack.Decoder(Batch)
_header_decoder = msgspec.msgpack.Decoder(_Header)
_index_bytes = struct.Struct(">Q").pack
_length = struct.Struct(">Q")
_length_bytes = _length.pack

_Session = OrderedDict[int, BatchResult]


def encode_batch(batch: Batch) -> bytes:
    """Return the payload to propose."""
    return _encoder.encode(batch)


class Ledger:
    """The user's machine behind numbered batches.

    Invariant: a batch number of a session is applied at most once; ``crc`` depends on
    the applied prefix of the log alone.
    """

    def __init__(self, machine: StateMachine, schema: int = 1) -> None:
        self.index = 1
        self.crc = 0
        self.min_schema = 1
        """What all members understand: commands of a newer schema must wait."""
        self.schema = schema
        """What this replica understands."""
        self.duplicates = 0
        """Batches that arrived again and were not applied again, for the metrics."""
        self.refusals = 0
        """Commands whose handler raised, for the metrics."""
        self.checks: OrderedDict[int, int] = OrderedDict()
        self._machine = machine
        self._sessions: dict[str, OrderedDict[bytes, _Session]] = {}

    def apply(self, index: int, entry: bytes) -> BatchResult | None:
        """Apply the entry at ``index``; None for the leader's NO_OP or a forgotten
        batch.

        Raises UnknownCommand for a newer schema, and what must stop the replica.
        """
        result = self._apply_batch(index, entry) if entry[:1] == REGULAR else None
        self.index = index
        if index % CHECK_EVERY == 0:
            self.checks[index] = self.crc
            if len(self.checks) > CHECKS_KEPT:
                self.checks.popitem(last=False)
        return result

    def _apply_batch(self, index: int, entry: bytes) -> BatchResult | None:
        batch = _batch_decoder.decode(memoryview(entry)[1:])
        needed = max(batch.schema, batch.raise_to)
        if needed > self.schema:
            message = f"entry {index} needs schema {needed}: upgrade this replica"
            raise UnknownCommand(message)
        session = self._session(batch.replica, batch.incarnation)
        known = session.get(batch.number)
        if known is not None:
            self.duplicates += 1
            return known
        if session and batch.number <= next(reversed(session)) - REMEMBERED_BATCHES:
            self.duplicates += 1
            return None  # long since applied or given up; its outcome is forgotten
        self.min_schema = max(self.min_schema, batch.raise_to)
        outcomes = self._apply_commands(index * POSITIONS_PER_INDEX, batch.commands)
        self._machine.applied(index)
        joined = b"".join(outcomes)
        self.crc = zlib.crc32(joined, zlib.crc32(_index_bytes(index), self.crc))
        result = session[batch.number] = BatchResult(index, outcomes)
        self._order(session, batch.number)
        return result

    def _apply_commands(self, position: int, commands: list[bytes]) -> list[bytes]:
        outcomes = []
        apply = self._machine.apply
        for command in commands:
            try:
                outcomes.append(apply(position, command))
            except (MemoryError, RecursionError, UnknownCommand):
                raise
            except Exception:  # the same on every replica, so a value (I2)
                self.refusals += 1
                outcomes.append(INTERNAL_REFUSAL)
            position += 1
        return outcomes

    def _session(self, replica: str, incarnation: bytes) -> _Session:
        lives = self._sessions.setdefault(replica, OrderedDict())
        session = lives.get(incarnation)
        if session is None:
            session = lives[incarnation] = OrderedDict()
            if len(lives) > REMEMBERED_INCARNATIONS:
                lives.popitem(last=False)
        return session

    @staticmethod
    def _order(session: _Session, number: int) -> None:
        # A batch given up earlier may arrive late: keep the order by number, so that
        # the newest is last and the oldest goes first.
        for later in [n for n in session if n > number]:
            session.move_to_end(later)
        while len(session) > REMEMBERED_BATCHES:
            session.popitem(last=False)

    # -- snapshots

    def snapshot(self) -> Iterable[bytes]:
        """Return the whole state as chunks: the ledger's own, then the machine's."""
        sessions = [
            (
                replica,
                [(life, list(session.items())) for life, session in lives.items()],
            )
            for replica, lives in sorted(self._sessions.items())
        ]
        header = _Header(FORMAT, self.min_schema, self.index, self.crc, sessions)
        return self._chunks(_encoder.encode(header), self._machine.snapshot())

    @staticmethod
    def _chunks(header: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
        yield _length_bytes(len(header))
        for start in range(0, len(header), PIECE_BYTES):
            yield header[start : start + PIECE_BYTES]
        yield from rest

    @staticmethod
    def _joined(chunks: Iterator[bytes]) -> bytes:
        (length,) = _length.unpack(next(chunks))
        header = bytearray()
        while len(header) < length:
            header += next(chunks)
        return bytes(header)

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """Replace the state by a snapshot's, in steps. Raises ValueError if not
        understood.
        """
        try:
            header = _header_decoder.decode(self._joined(chunks))
        except (StopIteration, struct.error, msgspec.MsgspecError) as error:
            message = f"the snapshot does not begin with a ledger: {error}"
            raise ValueError(message) from None
        if header.format > FORMAT or header.min_schema > self.schema:
            message = (
                f"the snapshot has format {header.format} and needs schema "
                f"{header.min_schema}: upgrade this replica"
            )
            raise UnknownCommand(message)
        yield from self._machine.restore(chunks)
        self.index, self.crc, self.min_schema = (
            header.index,
            header.crc,
            header.min_schema,
        )
        self.checks.clear()
        self._sessions = {
            replica: OrderedDict((life, OrderedDict(items)) for life, items in lives)
            for replica, lives in header.sessions
        }
