"""The log when the disk refuses: full, or broken."""

import errno
from collections.abc import Callable

import pytest

from cluster.errors import StartRefused
from cluster.storage import reserve
from cluster.storage.wal import Wal
from tests.support.sim_files import SimFiles
from tests.unit.storage.samples import ALICE, SMALL, entry, founded, indexes, recover


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("operation", ["write", "sync"])
def test_after_a_failed_write_or_sync_the_log_is_unusable(
    operation: str, code: int
) -> None:
    """The next sync might succeed without the bytes: never retry on that descriptor."""
    files = SimFiles()
    wal, _ = Wal.recover(files, SMALL)
    wal.write_identity(ALICE)
    wal.write([entry(1)])

    def fail(name: str) -> None:
        if name == operation:
            raise OSError(code, "simulated")

    files.on_operation = fail
    with pytest.raises(OSError, match="simulated"):
        wal.write([entry(2)])
    files.on_operation = None
    later: list[Callable[[], None]] = [
        lambda: wal.write([entry(2)]),
        lambda: wal.write_identity(ALICE),
        lambda: wal.drop_before(1),
    ]

    for step in later:
        with pytest.raises(OSError, match="unusable"):
            step()


def test_a_full_disk_ends_the_log_but_not_what_it_holds() -> None:
    """A part of the batch was written; the next start cuts it off."""
    files = SimFiles()
    wal, _ = Wal.recover(files, SMALL)
    wal.write_identity(ALICE)
    wal.write([entry(1)])
    files.free = 10
    with pytest.raises(OSError, match="no space"):
        wal.write([entry(2)])
    files.crash()
    files.free = 1_000_000
    found = recover(files)

    assert [index for _, index, _ in found.entries] == [1]
    assert found.torn_bytes == 10


def test_a_full_disk_does_not_keep_a_replica_from_starting() -> None:
    """Recovery writes the newest segment anew, out of the reserve if need be."""
    files = SimFiles()
    files.free = 2_000
    wal = founded(files)
    wal.write([entry(2)])
    assert reserve.take(files, 1_000)
    files.free = 10
    files.crash()
    found = recover(files)

    assert indexes(found) == [1, 2]
    assert reserve.RESERVE_NAME not in files.names()


def test_a_full_disk_without_a_reserve_is_told_as_such() -> None:
    """And the log is as it was, for when there is room."""
    files = SimFiles()
    wal = founded(files)
    wal.write([entry(2)])
    files.free = 10
    before = {name: files.content(name) for name in files.names()}
    with pytest.raises(StartRefused, match="disk is full"):
        recover(files)

    assert {name: files.content(name) for name in files.names()} == before
    files.free = 10_000
    assert indexes(recover(files)) == [1, 2]


def test_another_error_of_the_disk_is_not_taken_for_a_full_one() -> None:
    """The reserve would be gone for nothing."""
    files = SimFiles()
    founded(files)
    reserve.take(files, 1_000)

    def fail(name: str) -> None:
        if name == "sync":
            raise OSError(errno.EIO, "simulated")

    files.on_operation = fail
    with pytest.raises(OSError, match="simulated"):
        recover(files)
    files.on_operation = None

    assert reserve.RESERVE_NAME in files.names()
