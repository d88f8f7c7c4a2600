"""From a shared key and an ephemeral exchange to one key per direction.

Pure but for the entropy that it draws.
"""

import hashlib
import os

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cluster.links import wire
from cluster.links.keys import SharedKey
from cluster.links.reasons import HandshakeFailed, Reason
from cluster.links.sealing import AeadOpener, AeadSealer

KEY_BYTES = 32
LABEL = b"service-registry link 1"


class Share:
    """One side's fresh part of the exchange; never used twice."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()
        self.point = self._private.public_key().public_bytes_raw()
        self.nonce = os.urandom(wire.NONCE_BYTES)

    def exchange(self, point: bytes) -> bytes:
        """Return the secret shared with the other side. Raises HandshakeFailed."""
        try:
            return self._private.exchange(X25519PublicKey.from_public_bytes(point))
        except ValueError:
            # A point of small order: the result would be known to everyone.
            raise HandshakeFailed(Reason.FORGED, "a degenerate point") from None


def initiator_keys(
    key: SharedKey, exchanged: bytes, transcript: bytes
) -> tuple[AeadSealer, AeadOpener]:
    """Return what the initiator sends and receives with."""
    to_responder, to_initiator = _derive(key, exchanged, transcript)
    return AeadSealer(to_responder), AeadOpener(to_initiator)


def responder_keys(
    key: SharedKey, exchanged: bytes, transcript: bytes
) -> tuple[AeadSealer, AeadOpener]:
    """Return what the responder sends and receives with."""
    to_responder, to_initiator = _derive(key, exchanged, transcript)
    return AeadSealer(to_initiator), AeadOpener(to_responder)


def _derive(key: SharedKey, exchanged: bytes, transcript: bytes) -> tuple[bytes, bytes]:
    """Return (key towards the responder, key towards the initiator).

    Both inputs are of fixed length, so joining them is unambiguous. Each connection has
    its own transcript, hence its own salt.
    """
    derived = HKDF(
        algorithm=SHA256(),
        length=2 * KEY_BYTES,
        salt=hashlib.sha256(transcript).digest(),
        info=LABEL,
    ).derive(key.secret + exchanged)
    return derived[:KEY_BYTES], derived[KEY_BYTES:]
