"""The messages of the handshake as bytes. Pure.

    offer    initiator -> responder   who dials whom, and how it would prove itself
    answer   responder -> initiator   its part of the key exchange, then its hello
    hello    initiator -> responder   its hello, or why it refuses the other's
    verdict  responder -> initiator   accepted, or why not
    alert    responder -> initiator   instead of an answer: why it closes

Offer, the head of the answer and alert are readable by anyone and begin with magic and
version; what follows the head of the answer is sealed. Later versions keep the magic,
the place of the version and the alert.
"""

from dataclasses import dataclass
from enum import IntEnum

from cluster.links.reasons import HandshakeFailed, Reason

MAGIC = b"SRLK"
VERSION = 1
KEY_ID_BYTES = 8
NONCE_BYTES = 32
POINT_BYTES = 32
REASON_BYTES = 200
OVERHEAD_BYTES = 1_024
"""More than any message has beside a hello: an offer, or head, verdict and seal."""

_YES = b"\x00"
_NO = b"\x01"

ALERTS = (
    Reason.OTHER_VERSION,
    Reason.OTHER_SECURITY,
    Reason.OWN_ID,
    Reason.OTHER_NODE,
    Reason.UNKNOWN_NODE,
    Reason.UNKNOWN_KEY,
    Reason.WRONG_CERTIFICATE,
)
"""What a stranger is told; its place here is its code on the wire."""


class Kind(IntEnum):
    """Which message it is."""

    OFFER = 1
    ANSWER = 2
    ALERT = 3


class Mode(IntEnum):
    """How both sides prove themselves."""

    NONE = 0
    SHARED_KEY = 1
    TLS = 2


@dataclass(frozen=True, slots=True)
class Offer:
    """What the initiator says first; the last three are empty without a shared key."""

    mode: int
    initiator: str
    responder: str
    key_id: bytes = b""
    nonce: bytes = b""
    point: bytes = b""

    def encode(self) -> bytes:
        """Return the message."""
        ids = (self.initiator.encode(), self.responder.encode())
        named = b"".join(bytes([len(one)]) + one for one in ids)
        head = _head(Kind.OFFER) + bytes([self.mode])
        return head + named + self.key_id + self.nonce + self.point


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """The readable part of the answer; empty without a shared key."""

    nonce: bytes = b""
    point: bytes = b""

    def encode(self) -> bytes:
        """Return the head; the sealed hello goes after it."""
        return _head(Kind.ANSWER) + self.nonce + self.point


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if len(part) != count:
            raise HandshakeFailed(Reason.GARBAGE, "a message is cut short")
        self._at += count
        return part

    def name(self) -> str:
        try:
            return self.take(self.take(1)[0]).decode()
        except UnicodeDecodeError:
            raise HandshakeFailed(Reason.GARBAGE, "an id is not text") from None

    def rest(self) -> bytes:
        return self._data[self._at :]


def _head(kind: Kind) -> bytes:
    return MAGIC + bytes([VERSION, kind])


def _open_head(data: bytes) -> tuple[int, _Cursor]:
    cursor = _Cursor(data)
    if cursor.take(len(MAGIC)) != MAGIC:
        raise HandshakeFailed(Reason.GARBAGE)
    version, kind = cursor.take(2)
    if version != VERSION and kind != Kind.ALERT:
        raise HandshakeFailed(
            Reason.OTHER_VERSION,
            f"it speaks version {version}, we speak {VERSION}",
            farewell=encode_alert(Reason.OTHER_VERSION),
        )
    return kind, cursor


def decode_offer(data: bytes) -> Offer:
    """Return the offer. Raises HandshakeFailed."""
    kind, cursor = _open_head(data)
    if kind != Kind.OFFER:
        raise HandshakeFailed(Reason.GARBAGE, "not an offer")
    mode = cursor.take(1)[0]
    initiator, responder = cursor.name(), cursor.name()
    if mode != Mode.SHARED_KEY:
        offer = Offer(mode, initiator, responder)
    else:
        offer = Offer(
            mode,
            initiator,
            responder,
            cursor.take(KEY_ID_BYTES),
            cursor.take(NONCE_BYTES),
            cursor.take(POINT_BYTES),
        )
    if cursor.rest():
        raise HandshakeFailed(Reason.GARBAGE, "an offer with more after it")
    return offer


def decode_answer(data: bytes, mode: Mode) -> tuple[AnswerHead, bytes]:
    """Return the head and the (sealed) hello. HandshakeFailed on an alert too."""
    kind, cursor = _open_head(data)
    if kind == Kind.ALERT:
        code = cursor.take(1)[0]
        said = str(ALERTS[code]) if code < len(ALERTS) else f"code {code}"
        raise HandshakeFailed(Reason.ALERT, f"the other side says {said}")
    if kind != Kind.ANSWER:
        raise HandshakeFailed(Reason.GARBAGE, "not an answer")
    if mode != Mode.SHARED_KEY:
        return AnswerHead(), cursor.rest()
    return AnswerHead(cursor.take(NONCE_BYTES), cursor.take(POINT_BYTES)), cursor.rest()


def encode_alert(reason: Reason) -> bytes:
    """Return the alert for one of ``ALERTS``."""
    return _head(Kind.ALERT) + bytes([ALERTS.index(reason)])


def encode_yes(content: bytes = b"") -> bytes:
    """Return an acceptance, with what goes with it; to be sealed."""
    return _YES + content


def encode_no(reason: str) -> bytes:
    """Return a refusal with its reason, cut to its bound; to be sealed."""
    return _NO + reason.encode()[:REASON_BYTES]


def decode_judged(data: bytes) -> bytes:
    """Return what goes with an acceptance.

    Raises HandshakeFailed, with ``peer_refusal`` if it is a refusal.
    """
    if data[:1] == _YES:
        return data[1:]
    if data[:1] != _NO:
        raise HandshakeFailed(Reason.GARBAGE, "neither yes nor no")
    said = data[1 : 1 + REASON_BYTES].decode(errors="replace")
    raise HandshakeFailed(
        Reason.HELLO_REFUSED, f"by the other side: {said}", peer_refusal=said
    )
