"""Why a connection was turned away or ended: a closed set, so that counters are too."""

from enum import StrEnum


class Reason(StrEnum):
    """One label per cause, for counters and log lines."""

    FULL = "unauthenticated_full"
    """Too many connections have not proved who they are yet."""
    GARBAGE = "garbage"
    """The first bytes are not a handshake of ours."""
    OTHER_VERSION = "other_version"
    OTHER_SECURITY = "other_security"
    """One side uses keys or TLS and the other does not."""
    OWN_ID = "own_id"
    """Another process calls itself by our node id, or a peer's address leads to us."""
    OTHER_NODE = "other_node"
    """We were dialled in place of another node: a wrong address in a peer list."""
    UNKNOWN_NODE = "unknown_node"
    """Not one of our peers."""
    UNKNOWN_KEY = "unknown_key"
    WRONG_CERTIFICATE = "wrong_certificate"
    """The certificate is valid, but for another node id."""
    TLS_FAILED = "tls_failed"
    FORGED = "forged"
    """A seal did not open: wrong key, altered, replayed or reflected bytes."""
    LATE = "handshake_late"
    ENDED = "handshake_ended"
    """The other side closed before the handshake was over."""
    HELLO_REFUSED = "hello_refused"
    """Our owner refused the peer's hello, or the peer's owner refused ours."""
    ALERT = "peer_alert"
    """The other side says, unauthenticated, why it closes."""
    TOO_LONG = "frame_too_long"
    BAD_FRAME = "bad_frame"
    """The owner found a frame that no honest peer sends."""
    TRUNCATED = "truncated"
    """The connection ended within a frame."""
    UNEXPECTED = "unexpected_bytes"
    """A peer sent frames on the connection that is ours to send on."""
    SILENT = "silent"
    """Not a byte arrived for too long."""
    STUCK = "stuck"
    """The kernel took no byte of ours for too long."""
    BUFFER_FULL = "buffer_full"
    """The peer reads more slowly than we send."""


class HandshakeFailed(Exception):
    """This connection will not become a link.

    ``farewell`` is a last message for the other side, written before closing;
    ``peer_refusal`` is set if an authenticated peer refused our hello.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        farewell: bytes = b"",
        peer_refusal: str | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.farewell = farewell
        self.peer_refusal = peer_refusal
