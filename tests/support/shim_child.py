"""A small process under the shim of disks and clocks, which does what it is told."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHILD = """
import ctypes, errno, os, sys, time
libc = ctypes.CDLL(None)
for line in sys.stdin:
    try:
        answer = eval(line)
    except OSError as error:
        answer = errno.errorcode[error.errno]
    print(repr(answer), flush=True)
"""
END_S = 10.0


class Child:
    """A process under the shim that evaluates what it is sent, in its data directory.

    An OSError is answered by its name.
    """

    def __init__(self, environment: Mapping[str, str], data: Path) -> None:
        self._data = data
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        """SIGKILL: nothing is flushed or closed."""
        self._process.kill()
        self._process.communicate(timeout=END_S)

    def do(self, expression: str) -> Any:
        """Evaluate; ``{log}`` and ``{new}`` are files there, ``{}`` is it."""
        files = {name: repr(str(self._data / name)) for name in ("log", "new")}
        line = expression.format(repr(str(self._data)), **files)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin)
        self._process.stdin.flush()
        return eval(self._process.stdout.readline())

    def open(self, name: str = "log", flags: str = "os.O_APPEND") -> int:
        """Open for writing, making it if it is not there; return the descriptor."""
        flags = f"os.O_WRONLY | os.O_CREAT | {flags}"
        return int(self.do(f"os.open({{{name}}}, {flags}, 0o600)"))

    def sync_names(self) -> None:
        """Sync the directory."""
        fd = self.do("os.open({}, os.O_RDONLY)")
        self.do(f"os.fsync({fd})")
        self.do(f"os.close({fd})")


def left(data: Path) -> dict[str, bytes]:
    """Return what is in the directory."""
    return {file.name: file.read_bytes() for file in data.iterdir()}
