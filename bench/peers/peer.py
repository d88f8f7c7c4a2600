"""What a peer is: servers that can be asked, in its own words.

Peer
+- Server   one address, and the processes that answer there
+- Words    what a registration, a read, a heartbeat is called there
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec

SERVICE = "web"
"""The service that is read."""
LONG_TTL_S = 3_600
"""Longer than any scenario: nothing ends by itself."""
BODY: dict[str, object] = {
    "port": 8080,
    "ttl_seconds": LONG_TTL_S,
    "health_endpoint": "",
    "metadata": {"version": "1.2.3", "region": "eu"},
}
"""What all registrations have in common."""


class NotHere(Exception):
    """A peer is not installed here, or does not answer; the text says what is missing.

    It is told as absent, and is no failure.
    """


class Server(msgspec.Struct, frozen=True):
    """One address, and the processes behind it; none where they run elsewhere."""

    url: str
    pids: tuple[int, ...] = ()


class Words(Protocol):
    """How a peer is asked. None: it has no such thing."""

    def register(self, service: str, host: str) -> bytes | None:
        """Return a registration, synced by a majority where there is one."""

    def read(self, service: str) -> bytes:
        """Return a discovery read that any server answers by itself."""

    def consistent_read(self, service: str) -> bytes | None:
        """Return a discovery read that knows of every acknowledged write."""

    def heartbeat(self, registered: bytes) -> bytes | None:
        """Return a heartbeat; ``registered`` is the answer to the registration."""


class Peer(msgspec.Struct, frozen=True):
    """Servers that hold the same. The first is the one that reads are sent to."""

    name: str
    servers: tuple[Server, ...]
    words: Words
    answers: list[bytes] = msgspec.field(default_factory=list)
    """To the registrations that fill it: whoever opened it may take them back."""

    @property
    def urls(self) -> tuple[str, ...]:
        """All addresses."""
        return tuple(server.url for server in self.servers)

    @property
    def pids(self) -> tuple[int, ...]:
        """All processes of all servers."""
        return tuple(pid for server in self.servers for pid in server.pids)


class Setting(msgspec.Struct, frozen=True):
    """What a peer is opened with."""

    folder: Path
    """For data and logs; each peer makes one of its own in it."""
    cores: frozenset[int]
    """That its processes are kept on."""
    named: Mapping[str, str]
    """URLs and programs by the name of a peer: they go before what is on PATH."""
    answer: bytes = b""
    """Our answer to the read, for those that give a constant one."""
    tell: Callable[[str], None] = print
    """Says in one line what somebody must know whose server is used."""

    def own_folder(self, name: str) -> Path:
        """Make the folder of one peer."""
        folder = self.folder / name.replace(" ", "-")
        folder.mkdir(parents=True)
        return folder


Opening = Callable[[Setting], AbstractContextManager[Peer]]
"""Starts a peer and ends it again. Raises NotHere."""
