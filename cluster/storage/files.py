"""A real data directory: the port Files on the operating system's calls. Any thread.

Durability is what differs between systems: on macOS only F_FULLFSYNC reaches the
medium, elsewhere fdatasync does (it includes the size, not the time stamps).
"""

import errno
import fcntl
import os
import sys
from pathlib import Path

_FILE_MODE = 0o600
_ZEROS_BYTES = 1024 * 1024
_NO_FALLOCATE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    if written == len(data):
        return
    # Short write: the disk is nearly full, or a signal came. The next call says why.
    rest = memoryview(data)[written:]
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class _Appending:
    """An AppendFile on a descriptor opened with O_APPEND."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    def write(self, data: bytes) -> None:
        _write_all(self._descriptor, data)
        self._size += len(data)

    def sync(self) -> None:
        _sync(self._descriptor)

    def size(self) -> int:
        return self._size

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _Reading:
    """A ReadFile on a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read_at(self, offset: int, count: int) -> bytes:
        return os.pread(self._descriptor, count, offset)

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class DirectoryFiles:
    """Files in one directory that exists. Names are plain file names."""

    def __init__(self, path: Path) -> None:
        self._directory = path

    def names(self) -> list[str]:
        """See Files."""
        with os.scandir(self._directory) as found:
            return sorted(e.name for e in found if e.is_file(follow_symlinks=False))

    def open_append(self, name: str) -> _Appending:
        """See Files."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return _Appending(os.open(self._path(name), flags, _FILE_MODE))

    def open_read(self, name: str) -> _Reading:
        """See Files."""
        return _Reading(os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC))

    def rename(self, old: str, new: str) -> None:
        """See Files."""
        self._path(old).replace(self._path(new))

    def unlink(self, name: str) -> None:
        """See Files."""
        self._path(name).unlink()

    def sync_directory(self) -> None:
        """See Files."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if sys.platform == "darwin":
                _sync(descriptor)
            else:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self) -> int:
        """See Files."""
        status = os.statvfs(self._directory)
        return status.f_bavail * status.f_frsize

    def reserve(self, name: str, size: int) -> None:
        """See Files. A failure removes the file: it must not fill the disk further."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path(name), flags, _FILE_MODE)
        try:
            _allocate(descriptor, size)
            _sync(descriptor)
        except OSError:
            self.unlink(name)
            raise
        finally:
            os.close(descriptor)

    def _path(self, name: str) -> Path:
        if not name or name in (".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"not a plain file name: {name!r}")
        return self._directory / name


def _allocate(descriptor: int, size: int) -> None:
    """Give the file real blocks: by the file system, else by writing zeros."""
    os.ftruncate(descriptor, 0)
    if sys.platform != "darwin":
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in _NO_FALLOCATE:
                raise
        else:
            return
    for start in range(0, size, _ZEROS_BYTES):
        _write_all(descriptor, bytes(min(_ZEROS_BYTES, size - start)))
