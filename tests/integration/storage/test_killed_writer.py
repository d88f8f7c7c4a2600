"""A real process on a real directory, killed while it writes (I9)."""

import subprocess
import sys
from pathlib import Path

import pytest

from cluster.storage.files import DirectoryFiles
from cluster.storage.wal import Wal

WRITER = """
import sys
from pathlib import Path
from cluster.config import Limits
from cluster.identity import Identity, Standing
from cluster.storage.files import DirectoryFiles
from cluster.storage.records import Entry, HardState
from cluster.storage.wal import Wal

wal, found = Wal.recover(DirectoryFiles(Path(sys.argv[1])), Limits(segment_bytes=4096))
if found.identity is None:
    wal.write_identity(Identity("a", "c1", 1, ("a",), Standing.MEMBER))
index = found.entries[-1][1] if found.entries else 0
while True:
    index += 1
    wal.write([Entry(index, 1, b"x" * 200), HardState(index, "a")])
    print(index, flush=True)
"""


@pytest.mark.slow
def test_a_killed_process_finds_all_that_it_acknowledged(tmp_path: Path) -> None:
    """Killed three times at a busy moment, going on with the same log."""
    for count in (30, 75, 50):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(count)]
        process.kill()
        rest, _ = process.communicate(timeout=10)
        acknowledged += [int(line) for line in rest.split(b"\n")[:-1]]
        wal, found = Wal.recover(DirectoryFiles(tmp_path))
        wal.close()
        indexes = [index for _, index, _ in found.entries]

        assert indexes == list(range(1, len(indexes) + 1))
        assert acknowledged[-1] <= indexes[-1] <= acknowledged[-1] + 1
        assert found.term == indexes[-1]
