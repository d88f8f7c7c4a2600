"""The folder of a local development cluster: marked, locked, and removed with care.

`--fresh` deletes, so nothing is done in a folder that is neither empty nor marked as
ours, and only the names that we make are removed. The lock keeps a second
`registry dev` out of the same data.
"""

import fcntl
import os
import shutil
from pathlib import Path

MARKER = "registry-dev"
LOG_BYTES_KEPT = 4 * 1024 * 1024
"""A longer log is set aside (one generation) at the next start."""


class DevDirectoryError(Exception):
    """The folder cannot be used; the message says why."""


class DevDirectory:
    """``<path>/<id>/`` for the data of each member, ``<path>/<id>.log`` for its log."""

    def __init__(self, path: Path, node_ids: tuple[str, ...]) -> None:
        self.path = path
        self._node_ids = node_ids
        self._lock = -1

    def data(self, node_id: str) -> Path:
        """Where a member keeps its data."""
        return self.path / node_id

    def log(self, node_id: str) -> Path:
        """Where a member's output goes."""
        return self.path / f"{node_id}.log"

    def open(self, *, fresh: bool) -> None:
        """Make, mark and lock the folder. Raises DevDirectoryError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            marker = self.path / MARKER
            if not marker.exists() and any(self.path.iterdir()):
                raise DevDirectoryError(
                    f"{self.path} holds something else; choose an empty --data-dir"
                )
            self._lock = os.open(marker, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DevDirectoryError(
                    f"another `registry dev` uses {self.path}"
                ) from None
            if fresh:
                self._remove_data()
            for node_id in self._node_ids:
                self.data(node_id).mkdir(exist_ok=True)
                self._bound_log(node_id)
        except OSError as error:
            raise DevDirectoryError(
                f"{error.filename or self.path}: {error.strerror}"
            ) from None

    def close(self) -> None:
        """Release the lock."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def log_tail(self, node_id: str, lines: int) -> list[str]:
        """Return the last lines of a member's log."""
        try:
            with self.log(node_id).open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 64 * 1024))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        return text.splitlines()[-lines:]

    def _remove_data(self) -> None:
        for node_id in self._node_ids:
            if self.data(node_id).exists():
                shutil.rmtree(self.data(node_id))
            self.log(node_id).unlink(missing_ok=True)
            self._old_log(node_id).unlink(missing_ok=True)

    def _bound_log(self, node_id: str) -> None:
        log = self.log(node_id)
        if log.exists() and log.stat().st_size > LOG_BYTES_KEPT:
            log.replace(self._old_log(node_id))

    def _old_log(self, node_id: str) -> Path:
        return self.path / f"{node_id}.log.old"
