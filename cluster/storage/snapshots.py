"""Snapshots on disk: write one, find it again, send its bytes, receive another's.

Everything here may wait for the disk: it runs in the bulk worker, except at start.

Why there is never a way back to an older snapshot: the log behind a snapshot is
dropped, so an older one lacks entries that were acknowledged. A damaged newest one
stops the replica, whose disk then must be replaced.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager

import msgspec

from cluster.errors import DiskCorrupt, StartRefused
from cluster.ports import Files, ReadFile
from cluster.storage import reserve
from cluster.storage.incoming import Incoming
from cluster.storage.snapshot_file import (
    NewerFormat,
    SnapshotDamaged,
    SnapshotEncoder,
    SnapshotMeta,
    read_chunks,
    verify,
)
from cluster.storage.synced_writer import SyncedWriter

_NAME = re.compile(r"snapshot-([0-9a-f]{16})\.snap")
_LEFTOVER = re.compile(r"(snapshot-[0-9a-f]{16}\.snap|incoming-\d+)\.tmp")


def snapshot_name(index: int) -> str:
    """Return the file name of the snapshot up to ``index``."""
    return f"snapshot-{index:016x}.snap"


class SnapshotStore:
    """The snapshots of one data directory, and the disk space held back for one.

    Invariant: at most one snapshot is needed, the newest; it was verified or written
    completely before older ones were removed.
    """

    def __init__(self, files: Files) -> None:
        """Remove what a crash left unfinished. Raises OSError."""
        self._files = files
        self._receivers = 0
        names = files.names()
        for name in names:
            if _LEFTOVER.fullmatch(name):
                files.unlink(name)
        # A name that is seen may not have been synced before the crash.
        files.sync_directory()

    def newest(self) -> SnapshotMeta | None:
        """Return the newest snapshot, having read all of it; None if there is none.

        Raises DiskCorrupt when it is damaged, StartRefused for a newer format.
        """
        indexes = self._indexes()
        if not indexes:
            return None
        name = snapshot_name(indexes[-1])
        with closing(self._files.open_read(name)) as file, _judged(name):
            meta = verify(file)
            if meta.index != indexes[-1]:
                raise SnapshotDamaged(f"contains index {meta.index}, not its name's")
        return meta

    def write(
        self,
        meta: SnapshotMeta,
        chunks: Iterable[bytes],
        pace: Callable[[], None] | None = None,
    ) -> SnapshotMeta:
        """Write and publish a snapshot, remove older ones; return it with its size.

        ``pace`` is called after each slice; what it raises ends the writing. After an
        error the former snapshot is still there. Raises OSError.
        """
        self._check_newer(meta.index)
        encoder = SnapshotEncoder()
        writer = SyncedWriter(self._files, snapshot_name(meta.index) + ".tmp")
        try:
            writer.append(encoder.header(meta))
            for chunk in chunks:
                if writer.append(encoder.chunk(chunk)) and pace is not None:
                    pace()
            writer.append(encoder.trailer())
            writer.publish(snapshot_name(meta.index))
        except BaseException:
            writer.abort()
            raise
        self._remove_before(meta.index)
        return msgspec.structs.replace(meta, size_bytes=writer.size_bytes)

    def chunks(self, meta: SnapshotMeta) -> Iterator[bytes]:
        """Yield the snapshot's chunks, each verified. Raises DiskCorrupt."""
        name = snapshot_name(meta.index)
        with closing(self._files.open_read(name)) as file, _judged(name):
            yield from read_chunks(file)

    def open_raw(self, meta: SnapshotMeta) -> ReadFile:
        """Open the file as it is, to send to a peer; it outlives a newer snapshot."""
        return self._files.open_read(snapshot_name(meta.index))

    def receiver(
        self, *, cluster_id: str, index: int, term: int, size_bytes: int
    ) -> Incoming:
        """Return the receiving end for a peer's snapshot file of that description.

        Touches no disk yet: the caller has compared ``size_bytes`` with what is free.
        """
        self._receivers += 1
        return Incoming(
            self._files,
            temporary=f"incoming-{self._receivers}.tmp",
            name=snapshot_name(index),
            expected=(cluster_id, index, term, size_bytes),
            check_newer=self._check_newer,
            remove_before=self._remove_before,
        )

    def take_reserve(self, size_bytes: int) -> bool:
        """Hold back disk for a snapshot; False when there is not that much (yet)."""
        return reserve.take(self._files, size_bytes)

    def release_reserve(self) -> None:
        """Give the space held back to whoever writes next: a snapshot, right after."""
        reserve.release(self._files)

    def _indexes(self) -> list[int]:
        found = map(_NAME.fullmatch, self._files.names())
        return [int(match[1], 16) for match in found if match]

    def _check_newer(self, index: int) -> None:
        newest = max(self._indexes(), default=0)
        if index < newest:
            raise ValueError(f"a snapshot up to {newest} is there, {index} is older")

    def _remove_before(self, index: int) -> None:
        # Not synced: one that comes back after a power cut is only removed again.
        for each in self._indexes():
            if each < index:
                self._files.unlink(snapshot_name(each))


@contextmanager
def _judged(name: str) -> Iterator[None]:
    """Turn what a reader finds wrong with a file into why the replica must stop."""
    try:
        yield
    except SnapshotDamaged as error:
        raise DiskCorrupt(f"{name}: {error}") from error
    except NewerFormat as error:
        raise StartRefused(f"{name}: {error}") from error
