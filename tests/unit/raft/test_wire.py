"""What the network may say: typed messages, and nothing that was forged."""

import pickle

import msgspec
import pytest

from cluster.entry import NO_OP, REGULAR
from cluster.raft import wire

LIFE = b"12345678"


def test_every_message_comes_back_as_it_was() -> None:
    """Frames carry the sender's incarnation before the message."""
    messages: list[wire.AnyMessage] = [
        wire.Append(1, 2, 3, 1, 4, [(REGULAR + b"x", 4, 1), (NO_OP, 5, 1)]),
        wire.Ack(1, 2, True, False, 3),
        wire.RequestVote(1, 2, 3),
        wire.Vote(1),
        wire.TimeoutNow(1),
        wire.Forward(1, REGULAR + b"x"),
        wire.ForwardAnswer(1, 2, 3, 0),
        wire.PreVote(1, 2, 3, 4),
        wire.PreVoteGranted(1),
        wire.NewerTerm(1, to_append=True),
        wire.KeepAlive(1, "c1", 2, 3, 4, 5),
        wire.SnapshotOffer(1, 2, 3, 4),
        wire.SnapshotPiece(1, 2, b"data"),
        wire.SnapshotAck(1, 2, finished=True),
        wire.FoundQuery(1),
        wire.FoundState(1, "", 0),
        wire.Found("c1", ["a", "b"]),
    ]

    for message in messages:
        assert wire.decode(wire.encode(LIFE, message)) == (LIFE, message)


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit",))


def raw(*fields: object) -> bytes:
    """Return a frame of arbitrary fields."""
    return LIFE + msgspec.msgpack.encode(fields)


HUGE = 2**62
MEMBERSHIP, VERSION = b"\x02", b"\x03"

FORGED = {
    "nothing": LIFE,
    "shorter than an incarnation": b"123",
    "garbage": LIFE + bytes(range(200, 256)),
    "a pickle": LIFE + pickle.dumps(_Bomb()),
    "an unknown type": raw(99, 1),
    "a dictionary, as the library's": LIFE
    + msgspec.msgpack.encode({"type": "apply_command", "command": b"\x02x"}),
    "too few fields": raw(2, 1, 2),
    "a field too many": raw(4, 1, "extra"),
    "a text for a number": raw(4, "1"),
    "a negative number": raw(4, -1),
    "a huge number": raw(4, HUGE),
    "a number of floats": raw(4, 1.5),
    "a second message behind": raw(4, 1) + msgspec.msgpack.encode((4, 1)),
    "a forwarded membership change": raw(6, 1, MEMBERSHIP + b"x"),
    "a forwarded version": raw(6, 1, VERSION + b"x"),
    "a forwarded nothing": raw(6, 1, b""),
    "a forwarded no-op": raw(6, 1, NO_OP),
    "an entry of membership": raw(1, 1, 1, 1, 0, 1, [[MEMBERSHIP + b"x", 2, 1]]),
    "an entry of version": raw(1, 1, 1, 1, 0, 1, [[VERSION + b"x", 2, 1]]),
    "a no-op with a tail": raw(1, 1, 1, 1, 0, 1, [[NO_OP + b"x", 2, 1]]),
    "an empty entry": raw(1, 1, 1, 1, 0, 1, [[b"", 2, 1]]),
    "an entry out of order": raw(1, 1, 1, 1, 0, 1, [[NO_OP, 3, 1]]),
    "an entry twice": raw(1, 1, 1, 1, 0, 1, [[NO_OP, 2, 1], [NO_OP, 2, 1]]),
    "an entry of a later term": raw(1, 1, 1, 1, 0, 1, [[NO_OP, 2, 2]]),
    "an entry with a huge index": raw(1, 1, 1, HUGE - 1, 0, 1, [[NO_OP, HUGE, 1]]),
    "an entry of four": raw(1, 1, 1, 1, 0, 1, [[NO_OP, 2, 1, 1]]),
    "a found cluster without a name": raw(17, "", ["a"]),
    "a found member without a name": raw(17, "c1", [""]),
    "an endless cluster id": raw(17, "c" * 129, ["a"]),
}


@pytest.mark.parametrize("frame", FORGED.values(), ids=FORGED.keys())
def test_what_no_honest_replica_sends_is_refused(frame: bytes) -> None:
    """ValueError ends the link; nothing of it reaches the library."""
    with pytest.raises(ValueError, match=r"message|order|no regular"):
        wire.decode(frame)
