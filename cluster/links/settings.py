"""Settings of the links: who we are, where the peers are, what proves them, bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cluster.config import KIB, MIB
from cluster.errors import ConfigError
from cluster.links.keys import SharedKey

Address = tuple[str, int]
"""Host (a name or a literal address) and port."""

NODE_ID_BYTES = 255


@dataclass(frozen=True, slots=True)
class NoSecurity:
    """Anyone who reaches the port is believed: only for loopback, the caller checks."""


@dataclass(frozen=True, slots=True)
class SharedKeys:
    """Whoever holds one of the keys may be any member. The first signs, all are taken.

    To rotate: append the new key on every replica, then move it to the front on
    every replica, then remove the old one; a rolling restart after each step.
    """

    keys: tuple[SharedKey, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigError("no shared key is given; make one with `registry keygen`")


@dataclass(frozen=True, slots=True)
class Tls:
    """Mutual TLS 1.3: a certificate names its node id, so no member can play another.

    PEM files. The id is a DNS name in the subject alternative names, or the common
    name if there are no alternative names. Read once at start: renewed certificates
    need a restart. A certificate serves both roles, so an extended key usage, where
    there is one, must allow server and client.
    """

    cert_file: Path
    key_file: Path
    ca_file: Path


Security = NoSecurity | SharedKeys | Tls


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Bounds and deadlines."""

    frame_bytes: int = 2 * MIB
    """A longer frame ends the link when its length is announced."""
    hello_bytes: int = 4 * KIB
    buffer_bytes: int = 16 * MIB
    """More waiting to be sent to one peer ends its link."""
    unauthenticated: int = 64
    """More connections without a finished handshake are closed at once."""
    handshake_s: float = 3.0
    connect_s: float = 2.0
    """For one address; each address of a name has its own attempt."""
    resolve_s: float = 2.0
    silence_s: float = 4.0
    """Without a byte received, or (when some wait) taken by the kernel, a link ends."""
    retry_min_s: float = 0.05
    retry_max_s: float = 1.0
    lasted_s: float = 1.0
    """A link that was up this long resets the back-off."""


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """One replica's place among its peers.

    ``peers`` maps the other members' ids to addresses; it is looked up at each
    attempt to connect. Raises ConfigError for ids that cannot be told apart.
    """

    node_id: str
    peers: Mapping[str, Address]
    bind: Address
    security: Security
    limits: LinkLimits = field(default_factory=LinkLimits)

    def __post_init__(self) -> None:
        if self.node_id in self.peers:
            raise ConfigError(f"node {self.node_id!r} is listed as its own peer")
        for node_id in (self.node_id, *self.peers):
            if not 0 < len(node_id.encode()) <= NODE_ID_BYTES:
                raise ConfigError(
                    f"node id {node_id[:40]!r} must have 1 to {NODE_ID_BYTES} bytes"
                )
