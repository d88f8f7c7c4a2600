"""The handshake as two state machines without I/O: whole messages in, messages out.

    Initiator                                   Responder
    start()        -- offer ------------------>  checks version, names, key id
    judges hello  <-- answer: point, {hello_r} -
                   -- {hello_i} -------------->  judges hello
    link is up    <-- {verdict} ---------------  link is up

Braces: sealed in shared-key mode. The two keys come from the shared key and an
ephemeral X25519 exchange, salted with the hash of all readable bytes: both nonces, both
node ids, version, mode. So: opening the answer proves that the responder holds the
shared key, in this connection; opening hello_i proves it of the initiator; a recorded
session opens nothing later (forward secrecy). Any holder of the shared key may be any
member: ids are only as good as the key is kept. TLS mode binds them to certificates.

A side that refuses the other's hello says why, in place of hello_i or in the verdict.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from cluster.links import wire
from cluster.links.agreement import Share, initiator_keys, responder_keys
from cluster.links.keys import SharedKey
from cluster.links.reasons import HandshakeFailed, Reason
from cluster.links.sealing import Forged, Opener, Plain, Sealer
from cluster.links.settings import Security, SharedKeys, Tls

_NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Party:
    """What a handshake needs of this replica.

    ``hello`` is asked for afresh each time; ``judge(peer, hello)`` returns None to
    accept, else why not.
    """

    node_id: str
    security: Security
    hello: Callable[[], bytes]
    judge: Callable[[str, bytes], str | None]

    @property
    def mode(self) -> wire.Mode:
        """How this replica proves itself, as told on the wire."""
        if isinstance(self.security, SharedKeys):
            return wire.Mode.SHARED_KEY
        return wire.Mode.TLS if isinstance(self.security, Tls) else wire.Mode.NONE


@dataclass(frozen=True, slots=True)
class Established:
    """The handshake is over: who is there, and what protects the frames."""

    peer: str
    sealer: Sealer
    opener: Opener


@dataclass(frozen=True, slots=True)
class Step:
    """What one message led to: a message to send, and the link if it is up."""

    send: bytes = b""
    established: Established | None = None


def _opened(opener: Opener, sealed: bytes) -> bytes:
    try:
        return opener.open(sealed)
    except Forged:
        raise HandshakeFailed(Reason.FORGED, "a handshake message") from None


class Initiator:
    """The side that dials, and alone sends frames afterwards.

    ``names`` are the node ids in the responder's certificate (TLS mode).
    """

    def __init__(
        self, party: Party, peer: str, *, names: Collection[str] = _NO_NAMES
    ) -> None:
        self._party = party
        self._peer = peer
        self._names = names
        self._offer = b""
        self._share: Share | None = None
        self._key: SharedKey | None = None
        self._ends: tuple[Sealer, Opener] | None = None

    def start(self) -> bytes:
        """Return the offer. Raises HandshakeFailed for the wrong certificate."""
        party = self._party
        if isinstance(party.security, Tls) and self._peer not in self._names:
            raise _wrong_certificate(self._names, self._peer)
        offer = wire.Offer(party.mode, party.node_id, self._peer)
        if isinstance(party.security, SharedKeys):
            self._share, self._key = Share(), party.security.keys[0]
            offer = wire.Offer(
                offer.mode,
                offer.initiator,
                offer.responder,
                self._key.key_id,
                self._share.nonce,
                self._share.point,
            )
        self._offer = offer.encode()
        return self._offer

    def receive(self, message: bytes) -> Step:
        """Take the responder's next message. Raises HandshakeFailed."""
        if self._ends is None:
            return self._receive_answer(message)
        sealer, opener = self._ends
        wire.decode_judged(_opened(opener, message))
        return Step(established=Established(self._peer, sealer, opener))

    def _receive_answer(self, message: bytes) -> Step:
        head, sealed_hello = wire.decode_answer(message, self._party.mode)
        sealer: Sealer = Plain()
        opener: Opener = Plain()
        if self._share is not None and self._key is not None:
            sealer, opener = initiator_keys(
                self._key,
                self._share.exchange(head.point),
                self._offer + head.encode(),
            )
        self._ends = sealer, opener
        hello = _opened(opener, sealed_hello)
        refusal = self._party.judge(self._peer, hello)
        if refusal is not None:
            raise HandshakeFailed(
                Reason.HELLO_REFUSED,
                refusal,
                farewell=sealer.seal(wire.encode_no(refusal)),
            )
        return Step(send=sealer.seal(wire.encode_yes(self._party.hello())))


class Responder:
    """The side that was dialled, and only receives frames afterwards.

    ``peers`` are the ids it may hear from; ``names`` those in the initiator's
    certificate (TLS mode). ``claimed`` is who the initiator says it is: true only
    once the handshake is over.
    """

    def __init__(
        self,
        party: Party,
        peers: Collection[str],
        *,
        names: Collection[str] = _NO_NAMES,
    ) -> None:
        self._party = party
        self._peers = peers
        self._names = names
        self._ends: tuple[Sealer, Opener] | None = None
        self.claimed = ""

    def receive(self, message: bytes) -> Step:
        """Take the initiator's next message. Raises HandshakeFailed."""
        if self._ends is None:
            return self._receive_offer(message)
        sealer, opener = self._ends
        hello = wire.decode_judged(_opened(opener, message))
        refusal = self._party.judge(self.claimed, hello)
        if refusal is not None:
            raise HandshakeFailed(
                Reason.HELLO_REFUSED,
                refusal,
                farewell=sealer.seal(wire.encode_no(refusal)),
            )
        return Step(
            send=sealer.seal(wire.encode_yes()),
            established=Established(self.claimed, sealer, opener),
        )

    def _receive_offer(self, message: bytes) -> Step:
        offer = wire.decode_offer(message)
        self._check(offer)
        self.claimed = offer.initiator
        head = wire.AnswerHead()
        sealer: Sealer = Plain()
        opener: Opener = Plain()
        if isinstance(self._party.security, SharedKeys):
            key = _find(self._party.security, offer.key_id)
            share = Share()
            head = wire.AnswerHead(share.nonce, share.point)
            sealer, opener = responder_keys(
                key, share.exchange(offer.point), message + head.encode()
            )
        self._ends = sealer, opener
        return Step(send=head.encode() + sealer.seal(self._party.hello()))

    def _check(self, offer: wire.Offer) -> None:
        if offer.mode != self._party.mode:
            raise _told(Reason.OTHER_SECURITY, offer.initiator)
        if offer.initiator == self._party.node_id:
            raise _told(Reason.OWN_ID, offer.initiator)
        if offer.responder != self._party.node_id:
            raise _told(Reason.OTHER_NODE, f"it looked for {offer.responder!r}")
        if offer.initiator not in self._peers:
            raise _told(Reason.UNKNOWN_NODE, offer.initiator)
        tls = isinstance(self._party.security, Tls)
        if tls and offer.initiator not in self._names:
            raise _wrong_certificate(self._names, offer.initiator)


def _find(keys: SharedKeys, key_id: bytes) -> SharedKey:
    for key in keys.keys:
        if key.key_id == key_id:
            return key
    raise _told(Reason.UNKNOWN_KEY, f"key id {key_id.hex()}")


def _told(reason: Reason, detail: str) -> HandshakeFailed:
    return HandshakeFailed(reason, detail, farewell=wire.encode_alert(reason))


def _wrong_certificate(names: Collection[str], claimed: str) -> HandshakeFailed:
    listed = ", ".join(sorted(names)) or "nobody"
    return _told(
        Reason.WRONG_CERTIFICATE,
        f"the certificate is for {listed[:200]}, not for {claimed!r}",
    )
