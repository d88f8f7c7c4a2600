"""The data directory at start: made, locked, or refused with a clear message."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.errors import StartRefused
from cluster.storage.lock import DirectoryLock, prepare_directory

HOLDER = """
import sys
from pathlib import Path
from cluster.storage.lock import DirectoryLock
lock = DirectoryLock.acquire(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_missing_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """And one that exists is left as it is: its mode is the volume's business."""
    data = tmp_path / "data"
    prepare_directory(data)
    mode = data.stat().st_mode & 0o777
    data.chmod(0o770)
    prepare_directory(data)

    assert mode == 0o700
    assert data.stat().st_mode & 0o777 == 0o770


def test_a_missing_parent_is_refused(tmp_path: Path) -> None:
    """It is more often a volume that is not mounted than a wish."""
    with pytest.raises(StartRefused, match=f"{tmp_path}/a does not exist"):
        prepare_directory(tmp_path / "a" / "b")


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    """As the directory, or as its parent."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StartRefused, match="file is not a directory"):
        prepare_directory(tmp_path / "file")
    with pytest.raises(StartRefused, match="file is not a directory"):
        prepare_directory(tmp_path / "file" / "data")


def test_a_directory_that_cannot_be_written_is_refused() -> None:
    """Told at start, not at the first write. (/proc refuses even root.)"""
    with pytest.raises(StartRefused, match="/proc is not writable"):
        DirectoryLock.acquire(Path("/proc"))
    with pytest.raises(StartRefused, match="/proc takes no new directories"):
        prepare_directory(Path("/proc/data"))


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from cluster.storage.lock import DirectoryLock
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
DirectoryLock.acquire(Path(sys.argv[1]))
"""


def test_a_full_disk_does_not_keep_a_directory_from_being_locked(
    tmp_path: Path,
) -> None:
    """Whoever starts there makes room first: the pid is for a message only."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    subprocess.run(command, check=True, timeout=30)


def test_a_directory_in_use_is_refused_naming_the_process(tmp_path: Path) -> None:
    """Two writers would destroy the log."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(StartRefused, match=f"is in use by pid {process.pid}$"):
            DirectoryLock.acquire(tmp_path)
    finally:
        process.kill()
        process.communicate(timeout=10)

    DirectoryLock.acquire(tmp_path).release()


def test_the_lock_is_free_after_its_release(tmp_path: Path) -> None:
    """And names its present owner."""
    DirectoryLock.acquire(tmp_path).release()
    lock = DirectoryLock.acquire(tmp_path)

    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lock.release()
    lock.release()
