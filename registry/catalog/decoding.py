"""Commands from their bytes in the log: understood, refused, or a reason to stop."""

from typing import get_args

import msgspec

from registry.catalog.commands import SCHEMA, AnyCommand


class UnknownCommandError(Exception):
    """The log holds a command unknown to this version: stop, never skip (I1)."""


class _Header(msgspec.Struct, frozen=True, gc=False):
    """What every command has, whatever its version."""

    type: str
    schema: int


_decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)
_header_decoder = msgspec.msgpack.Decoder(_Header)
_KNOWN = frozenset(c.__struct_config__.tag for c in get_args(AnyCommand))


def decode(command: bytes) -> AnyCommand:
    """Return the command. Raises UnknownCommandError, or ValidationError of msgspec."""
    try:
        decoded = _decoder.decode(command)
    except msgspec.ValidationError as error:
        _demand_known(command, error)
        raise
    if decoded.schema > SCHEMA:
        raise UnknownCommandError(
            f"a command needs schema {decoded.schema}; this version knows {SCHEMA}"
        )
    return decoded


def _demand_known(command: bytes, error: msgspec.ValidationError) -> None:
    """Tell a newer version's command, which stops us, from a malformed one of ours.

    A malformed one is refused by every version that knows its schema; stopping
    for it would let one bad proposal stop the cluster for good.
    """
    try:
        header = _header_decoder.decode(command)
    except msgspec.DecodeError:
        return
    if header.schema > SCHEMA or header.type not in _KNOWN:
        raise UnknownCommandError(
            f"a command {header.type!r} of schema {header.schema} is not known here"
        ) from error
