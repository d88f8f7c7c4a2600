"""Shared keys and the file that holds them.

One key per line, ``srk1:`` and 32 bytes as base64url; ``#`` starts a comment. The
prefix versions the format and lets secret scanners find a key that leaked. Errors
name the line, never its content.
"""

import base64
import binascii
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cluster.errors import ConfigError

PREFIX = "srk1:"
SECRET_BYTES = 32
KEY_ID_BYTES = 8
MAX_KEYS = 16
MAX_FILE_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A secret of 32 bytes. Its id names it on the wire and in messages."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ConfigError(f"a shared key must have {SECRET_BYTES} bytes")

    @property
    def key_id(self) -> bytes:
        """The first bytes of the key's hash: tells keys apart, gives nothing away."""
        return hashlib.sha256(self.secret).digest()[:KEY_ID_BYTES]


def generate_key() -> str:
    """Return a fresh key as a line of a key file."""
    secret = os.urandom(SECRET_BYTES)
    return PREFIX + base64.urlsafe_b64encode(secret).decode().rstrip("=")


def parse_keys(text: str, source: str) -> tuple[SharedKey, ...]:
    """Return the keys of a key file's text, in order.

    Raises ConfigError naming ``source`` and the line.
    """
    keys: list[SharedKey] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        key = _parse_key(line, f"{source} line {number}")
        if key in keys:
            raise ConfigError(f"{source} line {number}: this key is there twice")
        keys.append(key)
    if not keys:
        raise ConfigError(f"{source} holds no key; make one with `registry keygen`")
    if len(keys) > MAX_KEYS:
        raise ConfigError(f"{source} holds more than {MAX_KEYS} keys")
    return tuple(keys)


def _parse_key(line: str, where: str) -> SharedKey:
    encoded = line.removeprefix(PREFIX)
    if encoded == line:
        raise ConfigError(f"{where}: a key begins with {PREFIX!r}")
    try:
        # The strict decoder: the default one skips what it does not know.
        bare = encoded.rstrip("=").encode("ascii")
        padded = bare + b"=" * (-len(bare) % 4)
        secret = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"{where}: the key is not base64url") from None
    if len(secret) != SECRET_BYTES:
        raise ConfigError(
            f"{where}: the key has {len(secret)} bytes instead of {SECRET_BYTES}"
        )
    return SharedKey(secret)


def exposure(mode: int, owner_uid: int, our_uid: int) -> str | None:
    """Return how a key file is exposed, None if it is private enough.

    Only the owner may read it. A file of root that we may read through our group is
    private as well: that is how Kubernetes hands a secret to a process that is not
    root, and we could not change it (PostgreSQL has the same rule).
    """
    if mode & stat.S_IRWXO:
        return "others may access it"
    given_by_root = owner_uid == 0 and our_uid != 0
    allowed_group = stat.S_IRGRP if given_by_root else 0
    if mode & stat.S_IRWXG & ~allowed_group:
        return "its group may access it"
    return None


def read_key_file(path: Path) -> tuple[SharedKey, ...]:
    """Return the keys in the file, in order.

    Raises ConfigError if it cannot be read, is exposed, or holds something else.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            problem = exposure(status.st_mode, status.st_uid, os.geteuid())
            if problem is not None:
                raise ConfigError(
                    f"key file {path} is not private: {problem}; run `chmod 600 {path}`"
                )
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"key file {path} cannot be read: {error.strerror}"
        ) from error
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"key file {path} is longer than {MAX_FILE_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"key file {path} is not text") from None
    return parse_keys(text, f"key file {path}")
