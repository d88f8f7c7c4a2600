"""A data directory in memory that knows what a power cut would take.

What it models, as unkind as POSIX allows:

- file content is safe once its file was synced, a name once the directory was;
- of an unsynced tail a power cut keeps a random part, whose last block may be garbage
  and whose other blocks may be missing (zeros);
- of unsynced directory operations any may be lost, but one that builds on a lost one
  is lost too;
- after a failed sync the bytes look written, later syncs succeed, and a power cut
  shows that they never reached the disk;
- a crash (with or without a power cut) makes all open files useless.

``on_operation(name)`` runs before each operation and may raise: a crash or an OSError.
"""

import errno
from collections.abc import Callable
from random import Random

_BLOCK_BYTES = 512
_PLENTY_BYTES = 1 << 40


class _Inode:
    """A file's content. Invariant: bytes before ``synced`` are safe, save ``holes``."""

    __slots__ = ("data", "holes", "synced")

    def __init__(self) -> None:
        self.data = bytearray()
        self.synced = 0
        self.holes: list[tuple[int, int]] = []


class _Handle:
    """What both kinds of open file share: they die with the process."""

    __slots__ = ("_files", "_generation", "inode")

    def __init__(self, files: "SimFiles", inode: _Inode) -> None:
        self._files = files
        self._generation = files.generation
        self.inode = inode

    def check(self) -> None:
        if self._generation != self._files.generation:
            raise OSError(errno.EBADF, "used after its process ended")

    def size(self) -> int:
        """See the port."""
        self.check()
        return len(self.inode.data)

    def close(self) -> None:
        """See the port."""
        self._generation = -1


class _Appending(_Handle):
    """An AppendFile."""

    __slots__ = ()

    def write(self, data: bytes) -> None:
        """See the port."""
        self.check()
        files = self._files
        files.operation("write")
        if len(data) > files.free:
            self.inode.data += data[: max(files.free, 0)]
            files.free = 0
            raise OSError(errno.ENOSPC, "no space left (simulated)")
        self.inode.data += data
        files.free -= len(data)

    def sync(self) -> None:
        """See the port."""
        self.check()
        inode = self.inode
        try:
            self._files.operation("sync")
        except OSError:
            inode.holes.append((inode.synced, len(inode.data)))
            inode.synced = len(inode.data)
            raise
        inode.synced = len(inode.data)


class _Reading(_Handle):
    """A ReadFile."""

    __slots__ = ()

    def read_at(self, offset: int, count: int) -> bytes:
        """See the port."""
        self.check()
        self._files.operation("read")
        return bytes(self.inode.data[offset : offset + count])


class SimFiles:
    """Files in memory. ``free`` is the free space, and may be set."""

    def __init__(self, on_operation: Callable[[str], None] | None = None) -> None:
        self.on_operation = on_operation
        self.free = _PLENTY_BYTES
        self.generation = 0
        self._seen: dict[str, _Inode] = {}
        self._safe: dict[str, _Inode] = {}
        self._pending: list[tuple[str | None, str | None, _Inode]] = []

    def operation(self, name: str) -> None:
        """Tell the hook, which may raise."""
        if self.on_operation is not None:
            self.on_operation(name)

    def names(self) -> list[str]:
        """See Files."""
        self.operation("names")
        return sorted(self._seen)

    def open_append(self, name: str) -> _Appending:
        """See Files."""
        self.operation("open_append")
        inode = self._seen.get(_plain(name))
        if inode is None:
            inode = self._seen[name] = _Inode()
            self._pending.append((None, name, inode))
        return _Appending(self, inode)

    def open_read(self, name: str) -> _Reading:
        """See Files."""
        self.operation("open_read")
        return _Reading(self, self._find(name))

    def truncate(self, name: str, size: int) -> None:
        """See Files."""
        self.operation("truncate")
        inode = self._find(name)
        self.free += len(inode.data) - size
        del inode.data[size:]
        inode.synced = len(inode.data)

    def rename(self, old: str, new: str) -> None:
        """See Files."""
        self.operation("rename")
        inode = self._find(old)
        replaced = self._seen.get(_plain(new))
        if replaced is not None:
            self.free += len(replaced.data)
        del self._seen[old]
        self._seen[new] = inode
        self._pending.append((old, new, inode))

    def unlink(self, name: str) -> None:
        """See Files."""
        self.operation("unlink")
        inode = self._find(name)
        del self._seen[name]
        self.free += len(inode.data)
        self._pending.append((name, None, inode))

    def sync_directory(self) -> None:
        """See Files."""
        self.operation("sync_directory")
        self._safe = dict(self._seen)
        self._pending.clear()

    def free_bytes(self) -> int:
        """See Files."""
        self.operation("free_bytes")
        return self.free

    def reserve(self, name: str, size: int) -> None:
        """See Files."""
        self.operation("reserve")
        if size > self.free:
            raise OSError(errno.ENOSPC, "no space left (simulated)")
        inode = self._seen.get(_plain(name))
        if inode is None:
            inode = self._seen[name] = _Inode()
            self._pending.append((None, name, inode))
        self.free -= size - len(inode.data)
        inode.data[:] = bytes(size)
        inode.synced = size

    def crash(self) -> None:
        """End the process: open files are useless, everything written stays."""
        self.generation += 1

    def power_cut(self, rng: Random) -> None:
        """End the process and forget what was not synced."""
        self.crash()
        lost: set[str] = set()
        for old, new, inode in self._pending:
            names = {name for name in (old, new) if name is not None}
            if names & lost or rng.random() < 0.5:
                lost |= names
                continue
            if old is not None:
                self._safe.pop(old, None)
            if new is not None:
                self._safe[new] = inode
        self._pending.clear()
        before_bytes = sum(len(inode.data) for inode in self._seen.values())
        self._seen = dict(self._safe)
        for inode in self._seen.values():
            _forget_unsynced(inode, rng)
        after_bytes = sum(len(inode.data) for inode in self._seen.values())
        self.free += before_bytes - after_bytes

    def flip_bit(self, name: str, offset: int) -> None:
        """Let one bit of a file rot."""
        self._find(name).data[offset] ^= 0x10

    def content(self, name: str) -> bytes:
        """Return a file's bytes, for tests; not an operation."""
        return bytes(self._find(name).data)

    def put(self, name: str, content: bytes) -> None:
        """Place a file as if it had been there, synced, for ever."""
        inode = _Inode()
        inode.data += content
        inode.synced = len(content)
        self._seen[_plain(name)] = self._safe[name] = inode

    def _find(self, name: str) -> _Inode:
        inode = self._seen.get(_plain(name))
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, "no such file (simulated)", name)
        return inode


def _plain(name: str) -> str:
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"not a plain file name: {name!r}")
    return name


def _forget_unsynced(inode: _Inode, rng: Random) -> None:
    data, synced = inode.data, inode.synced
    for start, end in inode.holes:
        data[start:end] = bytes(len(data[start:end]))
    inode.holes.clear()
    unsynced = len(data) - synced
    if unsynced == 0:
        return
    del data[synced + rng.randint(0, unsynced) :]
    for start in range(synced, len(data), _BLOCK_BYTES):
        end = min(start + _BLOCK_BYTES, len(data))
        is_last = end == len(data)
        if rng.random() < (0.3 if is_last else 0.1):
            block = rng.randbytes(end - start) if is_last else bytes(end - start)
            data[start:end] = block
    inode.synced = len(data)
