"""What the cluster needs of its surroundings. Real ones: ``storage``, ``links``;
simulated ones: tests.

Time and scheduling are the running event loop's (``loop.time()``, ``call_later``):
the simulation runs all of this on a loop with virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NoReturn, Protocol, TypeVar

T = TypeVar("T")


class AppendFile(Protocol):
    """A file open for appending. Used by one worker thread at a time."""

    def write(self, data: bytes) -> None:
        """Append all of ``data``, or raise OSError (the tail is then unknown)."""

    def sync(self) -> None:
        """Return once everything written so far survives a power cut (fdatasync)."""

    def size(self) -> int:
        """Bytes in the file, unsynced ones included."""

    def close(self) -> None:
        """Close without syncing."""


class ReadFile(Protocol):
    """A file open for reading; stays readable when the name is replaced or removed."""

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``offset``; empty at the end."""

    def size(self) -> int:
        """Bytes in the file."""

    def close(self) -> None:
        """Close."""


class Files(Protocol):
    """One flat data directory. Names are plain file names. Every call may raise
    OSError.
    """

    def names(self) -> list[str]:
        """All file names, sorted."""

    def open_append(self, name: str) -> AppendFile:
        """Open for appending, making the file if it is missing."""

    def open_read(self, name: str) -> ReadFile:
        """Open for reading; FileNotFoundError if it is missing."""

    def rename(self, old: str, new: str) -> None:
        """Atomically give ``old`` the name ``new``, replacing it."""

    def unlink(self, name: str) -> None:
        """Remove the file."""

    def sync_directory(self) -> None:
        """Return once names made, renamed and removed so far survive a power cut."""

    def free_bytes(self) -> int:
        """Bytes that this user may still write on the file system."""

    def reserve(self, name: str, size: int) -> None:
        """Make ``name`` occupy ``size`` bytes of real disk (fallocate), or raise
        OSError.
        """


class Worker(Protocol):
    """One thread that runs jobs in order, away from the event loop."""

    def submit(
        self,
        job: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run ``job`` in the thread, then ``done(result)`` or ``failed(error)`` on the
        loop.
        """

    async def close(self) -> None:
        """Finish what was submitted and end the thread."""


class LinkEvents(Protocol):
    """What links tell their owner. All calls happen on the event loop."""

    def hello(self) -> bytes:
        """Return what we say of ourselves (at most 4 KiB), fresh for each handshake."""

    def on_hello(self, peer: str, hello: bytes) -> str | None:
        """Judge a peer's authenticated hello: None accepts, else a short reason to
        refuse.
        """

    def on_refused(self, peer: str, reason: str) -> None:
        """The peer refused our hello, for the reason that it gave."""

    def on_connected(self, peer: str) -> None:
        """Frames can now be sent to ``peer``."""

    def on_disconnected(self, peer: str) -> None:
        """Frames can no longer be sent to ``peer``."""

    def on_frame(self, peer: str, frame: bytes) -> None:
        """A frame arrived. Raises ValueError for one that no honest peer sends: the
        link ends.
        """


class Links(Protocol):
    """Frames between this replica and its peers: ordered while a link lasts, lost when
    it breaks.
    """

    async def start(self, events: LinkEvents) -> None:
        """Bind the Raft port, then dial the peers. Raises StartRefused when it cannot
        be bound.
        """

    def send(self, peer: str, frame: bytes) -> bool:
        """Queue a frame (at most 2 MiB); False if there is no link or its bounded
        buffer is full.

        A full buffer also ends the link: the peer is too slow and will resynchronise.
        """

    def drop(self, peer: str) -> None:
        """End the links with ``peer``; they are dialled again with back-off."""

    async def close(self) -> None:
        """End all links and release the port."""


def ignore_report(event: str, fields: dict[str, object]) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything outside that a replica touches, besides the event loop.

    ``fatal`` ends the process (or the simulated node) and does not return: called with
    a message that names the cause, when going on could break a promise. ``report``
    tells people of an event: a constant text, and fields.
    """

    files: Files
    log_worker: Worker
    bulk_worker: Worker
    links: Links
    random: Random
    fatal: Callable[[str], NoReturn]
    report: Callable[[str, dict[str, object]], None] = ignore_report
