"""A peer's snapshot as it arrives: kept apart until it is whole, verified and synced.

Runs in the bulk worker.
"""

from collections.abc import Callable
from contextlib import closing

from cluster.ports import Files
from cluster.storage.snapshot_file import (
    NewerFormat,
    SnapshotDamaged,
    SnapshotMeta,
    verify,
)
from cluster.storage.synced_writer import SyncedWriter


class Incoming:
    """The receiving end of one snapshot file; ended by ``finish`` or ``abort``.

    A ValueError means that the peer sent something wrong; the own disk is as before.
    """

    def __init__(
        self,
        files: Files,
        *,
        temporary: str,
        name: str,
        expected: tuple[str, int, int, int],
        check_newer: Callable[[int], None],
        remove_before: Callable[[int], None],
    ) -> None:
        self._files = files
        self._temporary = temporary
        self._name = name
        self._cluster_id, self._index, self._term, self._size_bytes = expected
        self._check_newer = check_newer
        self._remove_before = remove_before
        self._writer: SyncedWriter | None = None
        self._ended = False

    def append(self, offset: int, data: bytes) -> None:
        """Add the next bytes. Raises ValueError for a gap or too many; OSError."""
        writer = self._open_writer()
        if offset != writer.size_bytes:
            raise ValueError(f"expected offset {writer.size_bytes}, got {offset}")
        if offset + len(data) > self._size_bytes:
            raise ValueError(f"more than the announced {self._size_bytes} bytes")
        writer.append(data)

    def finish(self) -> SnapshotMeta:
        """Verify and publish the file; return what it contains.

        Raises ValueError when it is not the whole snapshot that was announced, or older
        than what is there; OSError. Afterwards this object is at its end, either way.
        """
        writer = self._open_writer()
        try:
            writer.sync()
            meta = self._verified()
            self._check_newer(meta.index)
            writer.publish(self._name)
        except BaseException:
            self.abort()
            raise
        self._ended = True
        self._remove_before(meta.index)
        return meta

    def abort(self) -> None:
        """Forget what has arrived."""
        self._ended = True
        if self._writer is not None:
            self._writer.abort()
            self._writer = None

    def _open_writer(self) -> SyncedWriter:
        if self._ended:
            raise ValueError("this transfer has ended")
        if self._writer is None:
            self._writer = SyncedWriter(self._files, self._temporary)
        return self._writer

    def _verified(self) -> SnapshotMeta:
        try:
            with closing(self._files.open_read(self._temporary)) as file:
                meta = verify(file)
        except (SnapshotDamaged, NewerFormat) as error:
            raise ValueError(f"the received snapshot is unusable: {error}") from error
        if (meta.cluster_id, meta.index, meta.term, meta.size_bytes) != (
            self._cluster_id,
            self._index,
            self._term,
            self._size_bytes,
        ):
            raise ValueError(
                f"received a snapshot of cluster {meta.cluster_id!r} up to "
                f"{meta.index} (term {meta.term}, {meta.size_bytes} bytes), "
                f"which is not what was announced"
            )
        return meta
