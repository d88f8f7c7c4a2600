"""A disk that forgets and fails, and a clock that is wrong, for one process.

A library of ours (`shim.h` says how it works) is compiled when it is needed, and is
preloaded by the process. Needs Linux and a C compiler, no root.
"""

import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.chaos.bed import BedFailed

HERE = Path(__file__).parent
SOURCES = ("shim.c", "shim_shadow.c")
FLAGS = ("-Wall", "-Werror", "-O2", "-shared", "-fPIC")
COMPILE_S = 60.0
NS = 1e9
PIECE_BYTES = 1024 * 1024


def compile_shim(folder: Path) -> Path | None:
    """Return the library, compiled into ``folder``; None where that cannot be done.

    Raises BedFailed instead under CI, where nothing may be left out unseen.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        if os.environ.get("CI") == "true":
            raise BedFailed("the faults of disks need Linux and a C compiler")
        return None
    library = folder / "shim.so"
    sources = [str(HERE / name) for name in SOURCES]
    command = [compiler, *FLAGS, "-o", str(library), *sources, "-ldl"]
    done = subprocess.run(command, capture_output=True, timeout=COMPILE_S, check=False)
    if done.returncode:
        raise BedFailed(done.stderr.decode())
    return library


@dataclass(frozen=True, slots=True)
class Control:
    """What the library is to do from now on; by default nothing."""

    clock_s: float = 0.0
    """Added to the wall clock."""
    sync_s: float = 0.0
    """Each sync takes so much longer."""
    write_errno: int = 0
    """Of each write and allocation; ENOSPC: no byte is free, either."""
    sync_errno: int = 0
    """Of each sync. What it should have synced is lost for good, as with Linux."""

    def packed(self) -> bytes:
        """Return it as the library's ``struct control``."""
        clock_ns, sync_ns = round(self.clock_s * NS), round(self.sync_s * NS)
        return struct.pack("=4q", clock_ns, sync_ns, self.write_errno, self.sync_errno)


class Shim:
    """The library around one process, whose data directory is ``data``.

    The shadow (what a power cut would leave) lies beside it. What is there at first
    counts as durable.
    """

    def __init__(self, library: Path, data: Path) -> None:
        self._data = data
        self._shadow = data.with_name(data.name + ".shadow")
        self._shadow.mkdir(exist_ok=True)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAULT_DATA": str(data),
            "FAULT_SHADOW": str(self._shadow),
        }
        self.control = Control()
        self.begin()

    def begin(self) -> None:
        """Take what is there for durable, however it came; the process must be gone."""
        for kind in ("held", "synced"):
            shutil.rmtree(self._shadow / kind, ignore_errors=True)
            (self._shadow / kind).mkdir()
        names = _names(self._data)
        for name, inode in names.items():
            os.link(self._data / name, self._shadow / "held" / str(inode))
            _copy(self._data / name, self._shadow / "synced" / str(inode))
        lines = [f"{inode} {name}\n" for name, inode in names.items()]
        (self._shadow / "names").write_text("".join(lines))

    @property
    def control(self) -> Control:
        """What the library does; set, it is so at once, in the running process, too."""
        return self._control

    @control.setter
    def control(self, control: Control) -> None:
        self._control = control
        # The library maps the file, so it must stay the same one.
        descriptor = os.open(self._shadow / "control", os.O_WRONLY | os.O_CREAT)
        try:
            os.pwrite(descriptor, control.packed(), 0)
        finally:
            os.close(descriptor)

    def cut_power(self, random: Random | None = None) -> None:
        """Forget all that was not synced; the process must be gone.

        With ``random`` the disk may have got further than was asked of it: the names
        as they were last, or a part of what was written behind the synced end.
        """
        names = self._durable_names()
        if random is not None and random.random() < 0.5:
            names = _names(self._data)
        left = self._shadow / "left"
        left.mkdir(mode=0o700)
        for name, inode in names.items():
            self._leave(inode, left / name, random)
        shutil.rmtree(self._data, ignore_errors=True)
        left.rename(self._data)
        self.begin()

    def _durable_names(self) -> dict[str, int]:
        lines = (self._shadow / "names").read_text().splitlines()
        return {
            name: int(inode) for inode, _, name in (x.partition(" ") for x in lines)
        }

    def _leave(self, inode: int, to: Path, random: Random | None) -> None:
        """Make what is left of a file."""
        to.touch(mode=0o600)
        synced = self._shadow / "synced" / str(inode)
        if synced.exists():
            _copy(synced, to)
        written = self._shadow / "held" / str(inode)
        size = to.stat().st_size
        if random is not None and written.exists():
            torn = random.randint(0, max(0, written.stat().st_size - size))
            with written.open("rb") as source, to.open("ab") as target:
                source.seek(size)
                target.write(source.read(torn))


def _names(directory: Path) -> dict[str, int]:
    if not directory.exists():
        return {}
    return {entry.name: entry.inode() for entry in os.scandir(directory)}


def _copy(source: Path, target: Path) -> None:
    """Copy a file, its holes as holes: some are large and all hole."""
    with source.open("rb", buffering=0) as read, target.open("wb", buffering=0) as out:
        at, size = 0, os.fstat(read.fileno()).st_size
        while at < size:
            try:
                at = os.lseek(read.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole up to the end
                break
            read.seek(at)
            end = os.lseek(read.fileno(), at, os.SEEK_HOLE)
            while at < end:
                piece = os.pread(read.fileno(), min(PIECE_BYTES, end - at), at)
                at += os.pwrite(out.fileno(), piece, at)
        out.truncate(size)
