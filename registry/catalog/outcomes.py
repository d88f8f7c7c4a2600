"""What the catalog answers to a command: a stable code, and what the proposer needs.

Outcomes are part of the replicated history (their CRC is compared between replicas), so
codes and their encoding never change meaning.
"""

from enum import IntEnum

import msgspec


class Code(IntEnum):
    """The stable answer codes; 0 is success, the rest are refusals that changed
    nothing.
    """

    OK = 0
    INTERNAL_REFUSAL = 1
    UNKNOWN_SERVICE_ID = 2
    SERVICE_ID_TAKEN = 3
    STALE_GENERATION = 4
    RENEWED_SINCE = 5
    UNCHANGED = 6
    TOO_MANY_REGISTRATIONS = 7
    TOO_MANY_SERVICES = 8
    REVIVED = 9
    """A heartbeat brought an expired registration back: a success with a new
    generation.
    """
    TOO_MANY_BYTES = 10
    NOT_DRAINED = 11
    TOO_MANY_DRAINS = 12


class Outcome(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One command's answer. ``items`` holds one code per item of a command with many.

    Forget's ``generation`` is how many it let go.
    """

    code: Code
    generation: int = 0
    items: tuple[Code, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Outcome)


def encode(outcome: Outcome) -> bytes:
    """Return the outcome's bytes, the same on every replica."""
    return _encoder.encode(outcome)


def decode(data: bytes) -> Outcome:
    """Return the outcome in ``data``; the reverse of ``encode``."""
    return _decoder.decode(data)
