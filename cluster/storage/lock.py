"""One process per data directory, and a directory that can be used at all.

The lock is flock's: it ends with the process, however that ends, so a stale file never
keeps a replica from starting. The pid in it is for the message only.
"""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from cluster.errors import StartRefused

LOCK_NAME = "lock"
_PID_BYTES = 32


def prepare_directory(path: Path) -> None:
    """Make the data directory (mode 0700) if it is missing. Raises StartRefused.

    Its parent must exist: making a whole path would hide a volume that is not mounted.
    """
    try:
        path.mkdir(mode=0o700)
        # Else a power cut could take the whole directory, synced files included.
        _sync_directory(path.parent)
    except FileExistsError:
        if not path.is_dir():
            raise StartRefused(f"data directory {path} is not a directory") from None
    except FileNotFoundError:
        # Some file systems, as /proc, say so although the parent is there.
        there = path.parent.is_dir()
        reason = "takes no new directories" if there else "does not exist"
        raise StartRefused(
            f"data directory {path} cannot be made: {path.parent} {reason}"
        ) from None
    except NotADirectoryError:
        raise StartRefused(
            f"data directory {path} cannot be made: {path.parent} is not a directory"
        ) from None
    except OSError as error:
        raise StartRefused(
            f"data directory {path} cannot be made: {error.strerror}"
        ) from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class DirectoryLock:
    """The right to use a data directory, held until ``release`` or the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> "DirectoryLock":
        """Take the lock without waiting. Raises StartRefused."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(path / LOCK_NAME, flags, 0o600)
        except OSError as error:
            raise StartRefused(
                f"data directory {path} is not writable: {error.strerror}"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = _refusal(path, descriptor, error)
            os.close(descriptor)
            raise StartRefused(message) from error
        with suppress(OSError):  # A full disk must not keep it from making room.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let another process use the directory."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _refusal(path: Path, descriptor: int, error: OSError) -> str:
    if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
        owner = os.pread(descriptor, _PID_BYTES, 0).decode("ascii", "replace").strip()
        return f"data directory {path} is in use by pid {owner or 'unknown'}"
    return f"data directory {path} cannot be locked: {error.strerror}"
