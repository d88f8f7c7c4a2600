"""Writes a large file beside the log without getting in its way.

A sync of the log waits for the disk's queue. So a large file goes out in slices, and
is synced every few MiB: no sync, ours or the log's, ever stands behind more than that.
"""

from cluster.ports import AppendFile, Files

SLICE_BYTES = 256 * 1024
SYNC_EVERY_BYTES = 4 * 1024 * 1024


class SyncedWriter:
    """A new temporary file, which gets its real name once all of it is on disk.

    ``publish`` or ``abort`` ends it; what a crash leaves is removed at the next start.
    """

    def __init__(self, files: Files, name: str) -> None:
        self._files = files
        self._name = name
        self._file: AppendFile = files.open_append(name)
        self._buffer = bytearray()
        self._unsynced_bytes = 0
        self.size_bytes = 0

    def append(self, data: bytes) -> bool:
        """Add ``data``; True when a slice went to the disk."""
        self._buffer += data
        self.size_bytes += len(data)
        if len(self._buffer) < SLICE_BYTES:
            return False
        self._flush()
        return True

    def sync(self) -> None:
        """Return once everything appended is on disk."""
        self._flush()
        self._sync()

    def publish(self, name: str) -> None:
        """Sync, and give the file its name, durably."""
        self.sync()
        self._file.close()
        self._files.rename(self._name, name)
        self._files.sync_directory()

    def abort(self) -> None:
        """Remove the file, as far as the disk lets us."""
        self._file.close()
        try:
            self._files.unlink(self._name)
        except OSError:
            # Removed at the next start; what made us abort matters more.
            return

    def _flush(self) -> None:
        view = memoryview(bytes(self._buffer))
        self._buffer.clear()
        for start in range(0, len(view), SLICE_BYTES):
            part = bytes(view[start : start + SLICE_BYTES])
            self._file.write(part)
            self._unsynced_bytes += len(part)
            if self._unsynced_bytes >= SYNC_EVERY_BYTES:
                self._sync()

    def _sync(self) -> None:
        self._file.sync()
        self._unsynced_bytes = 0
