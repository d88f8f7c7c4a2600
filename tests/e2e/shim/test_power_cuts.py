"""What is durable when the power is cut, and what is not.

Each test has a small child, which does to a data directory's files what it is told.
"""

import sys
from errno import EIO
from pathlib import Path
from random import Random

import pytest

from tests.chaos.beds.shim import Control, Shim
from tests.support.shim_child import Child, left

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is Linux's"),
]


def test_synced_bytes_stay_and_the_others_are_gone(
    shim: Shim, child: Child, data: Path
) -> None:
    """Nor does it help that another process could read them."""
    log = child.open()
    for word in (b" synced", b" lost"):
        child.do(f"os.write({log}, {word!r})")
        if word == b" synced":
            child.do(f"os.fdatasync({log})")
    assert left(data) == {"log": b"first synced lost"}
    child.__exit__()
    shim.cut_power()

    assert left(data) == {"log": b"first synced"}


@pytest.mark.parametrize(
    "change",
    [
        "os.pwrite({log}, b'FIRST', 0)",
        "os.ftruncate({log}, 2)",
        "os.ftruncate({log}, 90)",
        "os.posix_fallocate({log}, 0, 9000)",
        "os.writev({log}, [b'F', b'I'])",
    ],
)
def test_a_change_in_place_is_undone_or_synced(
    shim: Shim, child: Child, data: Path, change: str
) -> None:
    """Whatever the call: with a sync it is kept to the byte, without it never was."""
    log = child.open(flags="0")
    change = change.format(log=log)
    child.do(change)
    changed = left(data)
    assert changed != {"log": b"first"}
    child.__exit__()
    shim.cut_power()
    assert left(data) == {"log": b"first"}

    with Child(shim.environment, data) as again:
        assert again.open(flags="0") == log
        again.do(change)
        again.do(f"os.fsync({log})")
    shim.cut_power()
    assert left(data) == changed


def test_a_hole_takes_the_place_of_what_was_synced(
    shim: Shim, child: Child, data: Path
) -> None:
    """Emptied, made long again and synced: the old bytes must not shine through."""
    log = child.open(flags="0")
    child.do(f"os.ftruncate({log}, 0)")
    child.do(f"os.ftruncate({log}, 5)")
    child.do(f"os.fsync({log})")
    child.__exit__()
    shim.cut_power()

    assert left(data) == {"log": bytes(5)}


def test_names_are_durable_once_the_directory_is_synced(
    shim: Shim, child: Child, data: Path
) -> None:
    """New file, rename and removal; a file's sync does not count for its name."""
    new = child.open("new")
    child.do(f"os.write({new}, b'second')")
    child.do(f"os.fsync({new})")
    child.do("os.rename({new}, {log})")
    child.__exit__()
    assert left(data) == {"log": b"second"}
    shim.cut_power()
    assert left(data) == {"log": b"first"}

    with Child(shim.environment, data) as again:
        new = again.open("new")
        again.do(f"os.write({new}, b'second')")
        again.do(f"os.fsync({new})")
        again.do("os.rename({new}, {log})")
        again.sync_names()
        again.open("new")
        again.do("os.unlink({log})")
    assert left(data) == {"new": b""}
    shim.cut_power()
    assert left(data) == {"log": b"second"}

    with Child(shim.environment, data) as again:
        again.do("os.unlink({log})")
        again.sync_names()
    shim.cut_power()
    assert left(data) == {}


def test_a_durable_name_of_a_file_that_was_not_synced_leads_to_an_empty_one(
    shim: Shim, child: Child, data: Path
) -> None:
    """The classic: written, renamed over the good one, directory synced, file not."""
    new = child.open("new")
    child.do(f"os.write({new}, b'second')")
    child.do("os.rename({new}, {log})")
    child.sync_names()
    child.__exit__()
    shim.cut_power()

    assert left(data) == {"log": b""}


def test_what_a_killed_process_left_unsynced_is_synced_by_the_next(
    shim: Shim, child: Child, data: Path
) -> None:
    """The page cache outlives a process; only a power cut does not leave it."""
    log = child.open()
    child.do(f"os.write({log}, b' by the killed')")
    child.__exit__()
    with Child(shim.environment, data) as again:
        again.do(f"os.fsync({again.open()})")
    shim.cut_power()

    assert left(data) == {"log": b"first by the killed"}


def test_a_disk_may_get_a_part_further_than_it_was_asked_to(
    shim: Shim, child: Child, data: Path
) -> None:
    """A torn write: what is left begins as what was written does, and ends anywhere."""
    child.__exit__()
    lengths = set()
    for seed in range(8):
        (written,) = left(data).values()
        with Child(shim.environment, data) as again:
            more = bytes([seed]) * 1000
            again.do(f"os.write({again.open()}, {more!r})")
        shim.cut_power(Random(seed))
        (torn,) = left(data).values()
        assert torn.startswith(written)
        assert (written + more).startswith(torn)
        lengths.add(len(torn) - len(written))

    assert len(lengths) > 4


def test_a_failed_sync_is_told_and_its_bytes_are_lost_for_good(
    shim: Shim, child: Child, data: Path
) -> None:
    """Linux forgets what it could not write: a later sync passes, and means nothing."""
    log = child.open()
    child.do(f"os.write({log}, b' lost')")
    shim.control = Control(sync_errno=EIO)
    assert child.do(f"os.fdatasync({log})") == "EIO"
    shim.control = Control()
    assert child.do(f"os.fdatasync({log})") is None
    child.__exit__()
    shim.cut_power()

    assert left(data)["log"][:10] == b"first" + bytes(5)
