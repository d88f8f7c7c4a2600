"""The messages between replicas: typed msgpack, and their dictionaries inside the
library.

Nothing from the network is unpickled. A message that does not decode exactly, or
carries an entry of a type that we never write (MEMBERSHIP, VERSION, a transmission), is
refused and ends the link. Each frame begins with the sender's incarnation, so that one
of its former life cannot be taken for its present one.
"""

from typing import Annotated

import msgspec

from cluster.entry import NO_OP, REGULAR

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]

INCARNATION_BYTES = 8
MAX_COMMAND_BYTES = 512 * 1024
"""Well above what a batch may hold (256 KiB, or one command of 128 KiB)."""


class Message(
    msgspec.Struct,
    frozen=True,
    gc=False,
    array_like=True,
    forbid_unknown_fields=True,
):
    """The base of all messages."""


class Append(Message, frozen=True, gc=False, tag=1):
    """Entries from the leader, or none as its sign of life."""

    term: Count
    commit_index: Count
    prev_index: Count
    prev_term: Count
    seq: Count
    """Counts the leader's appends, so that an answer can be told from an older one."""
    entries: list[tuple[bytes, Count, Count]]


class Ack(Message, frozen=True, gc=False, tag=2):
    """A follower's answer to an append (the library's ``next_node_idx``), with its
    term.
    """

    term: Count
    next_index: Count
    reset: bool
    success: bool
    seq: Count


class RequestVote(Message, frozen=True, gc=False, tag=3):
    """A candidate asks for a vote."""

    term: Count
    last_index: Count
    last_term: Count


class Vote(Message, frozen=True, gc=False, tag=4):
    """A vote for the receiver in ``term``."""

    term: Count


class TimeoutNow(Message, frozen=True, gc=False, tag=5):
    """The leader hands over: campaign at once (Raft dissertation 3.10)."""

    term: Count


class Forward(Message, frozen=True, gc=False, tag=6):
    """A follower's proposal on its way to the leader."""

    request_id: Count
    command: bytes


class ForwardAnswer(Message, frozen=True, gc=False, tag=7):
    """Where the leader put a forwarded proposal, or why it did not (``error`` > 0)."""

    request_id: Count
    index: Count
    term: Count
    error: Count


class PreVote(Message, frozen=True, gc=False, tag=8):
    """Would you vote for me in ``term``? (Raft dissertation 9.6)."""

    round: Count
    term: Count
    last_term: Count
    last_index: Count


class PreVoteGranted(Message, frozen=True, gc=False, tag=9):
    """Yes, in that round."""

    round: Count


class NewerTerm(Message, frozen=True, gc=False, tag=10):
    """You are behind: there is a newer term. ``to_append``: it answers a leader."""

    term: Count
    to_append: bool


class KeepAlive(Message, frozen=True, gc=False, tag=11):
    """Each second to every peer: keeps idle links warm, and tells where the sender
    stands.
    """

    term: Count
    cluster_id: str
    applied_index: Count
    checked_index: Count
    """An index at which ``crc`` is the sender's running CRC (0: none yet)."""
    crc: Count
    schema: Count
    """The newest entry schema that the sender understands."""


class SnapshotOffer(Message, frozen=True, gc=False, tag=12):
    """The leader's log no longer reaches back far enough: take this snapshot."""

    term: Count
    index: Count
    snapshot_term: Count
    size_bytes: Count


class SnapshotPiece(Message, frozen=True, gc=False, tag=13):
    """A part of the offered snapshot's file."""

    index: Count
    offset: Count
    data: bytes


class SnapshotAck(Message, frozen=True, gc=False, tag=14):
    """The receiver holds the file up to ``offset``; ``finished``: no more is wanted."""

    index: Count
    offset: Count
    finished: bool


class FoundQuery(Message, frozen=True, gc=False, tag=15):
    """Before founding: where do you stand, now?"""

    round: Count


class FoundState(Message, frozen=True, gc=False, tag=16):
    """The answer: cluster id (empty if none) and term."""

    round: Count
    cluster_id: str
    term: Count


class Found(Message, frozen=True, gc=False, tag=17):
    """You are a founding member of this cluster."""

    cluster_id: Id
    members: list[Id]


AnyMessage = (
    Append
    | Ack
    | RequestVote
    | Vote
    | TimeoutNow
    | Forward
    | ForwardAnswer
    | PreVote
    | PreVoteGranted
    | NewerTerm
    | KeepAlive
    | SnapshotOffer
    | SnapshotPiece
    | SnapshotAck
    | FoundQuery
    | FoundState
    | Found
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AnyMessage)


def encode(incarnation: bytes, message: Message) -> bytes:
    """Return the frame of ``message`` as sent by this incarnation."""
    return incarnation + _encoder.encode(message)


def decode(frame: bytes) -> tuple[bytes, AnyMessage]:
    """Return (incarnation, message). Raises ValueError for what no honest replica
    sends.
    """
    try:
        message = _decoder.decode(memoryview(frame)[INCARNATION_BYTES:])
    except msgspec.MsgspecError as error:
        text = f"not a message: {error}"
        raise ValueError(text) from None
    if type(message) is Append:
        _check_entries(message)
    elif type(message) is Forward:
        _check_command(message.command)
    return frame[:INCARNATION_BYTES], message


def _check_command(command: bytes) -> None:
    if command[:1] != REGULAR or len(command) > MAX_COMMAND_BYTES:
        text = f"{len(command)} bytes of type {command[:1]!r} are no regular entry"
        raise ValueError(text)


def _check_entries(message: Append) -> None:
    expected = message.prev_index + 1
    for command, index, term in message.entries:
        if index != expected or term > message.term:
            text = f"entry {index} of term {term} is out of order"
            raise ValueError(text)
        if command != NO_OP:
            _check_command(command)
        expected += 1
