"""A sync keeps what was there when it began, and nothing that came later."""

import sys
from errno import EIO
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.beds.shim import Control, Shim
from tests.support.shim_child import Child, left

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is Linux's"),
]

SLOW_S = 1.0
BEGUN_S = 0.3
"""After so long a sync in another thread has begun, and is far from its end."""


def begin_sync(shim: Shim, child: Child, fd: int, **control: float) -> None:
    """Let another thread of the child begin a slow sync; those after it are fast."""
    shim.control = Control(sync_s=SLOW_S, **control)  # type: ignore[arg-type]
    child.do(
        "(slow := __import__('concurrent.futures').futures.ThreadPoolExecutor()"
        f".submit(os.fsync, {fd})) and time.sleep({BEGUN_S})"
    )
    shim.control = Control()


def end_sync(child: Child) -> Any:
    """Wait for that sync, which must still be under way; return its answer."""
    assert not child.do("slow.done()")
    return child.do("slow.result()")


@pytest.mark.parametrize(
    "change",
    [
        "os.write({log}, b'TWO')",
        "os.writev({log}, [b'TWO'])",
        "os.pwrite({log}, b'TWO', 5)",
        "os.ftruncate({log}, 2)",
        "os.ftruncate({log}, 90)",
        "os.posix_fallocate({log}, 0, 9000)",
    ],
)
def test_a_sync_under_way_keeps_nothing_that_comes_after_it_began(
    shim: Shim, child: Child, data: Path, change: str
) -> None:
    """Else who takes it for a sync of that would never be caught."""
    log = child.open(flags="0")
    child.do(f"os.pwrite({log}, b'ONE', 5)")
    begin_sync(shim, child, log)
    change = change.format(log=log)
    child.do(change)
    assert end_sync(child) is None
    changed = left(data)
    child.__exit__()
    shim.cut_power()
    assert left(data) == {"log": b"firstONE"} != changed

    with Child(shim.environment, data) as again:
        assert again.open(flags="0") == log
        begin_sync(shim, again, log)
        again.do(change)
        assert end_sync(again) is None
        changed = left(data)
        again.do(f"os.fsync({log})")
    shim.cut_power()
    assert left(data) == changed


def test_bytes_in_the_midst_of_a_preallocated_file_come_too_late_as_well(
    shim: Shim, child: Child, data: Path
) -> None:
    """Its size does not tell them from those that were there."""
    log = child.open(flags="0")
    child.do(f"os.posix_fallocate({log}, 0, 1 << 20)")
    child.do(f"os.pwrite({log}, b'ONE', 5)")
    begin_sync(shim, child, log)
    child.do(f"os.pwrite({log}, b'TWO', 8)")
    assert end_sync(child) is None
    child.__exit__()
    shim.cut_power()

    assert left(data) == {"log": b"firstONE".ljust(1 << 20, b"\0")}


@pytest.mark.parametrize("ends", [False, True])
def test_a_later_sync_keeps_what_an_earlier_one_has_under_way(
    shim: Shim, child: Child, data: Path, ends: bool
) -> None:
    """Whether the earlier one ends after it or never; it takes nothing back."""
    log = child.open(flags="0")
    child.do(f"os.pwrite({log}, b'ONE and', 5)")
    begin_sync(shim, child, log)
    child.do(f"os.pwrite({log}, b'TWO', 5)")
    assert child.do(f"os.fsync({log})") is None
    child.do(f"os.pwrite({log}, b'lost', 0)")
    if ends:
        assert end_sync(child) is None
    child.__exit__()
    shim.cut_power()

    assert left(data) == {"log": b"firstTWO and"}


def test_a_failing_sync_loses_what_was_there_when_it_began_and_no_more(
    shim: Shim, child: Child, data: Path
) -> None:
    """What comes while it runs is the next one's."""
    log = child.open(flags="0")
    child.do(f"os.pwrite({log}, b'ONE', 5)")
    begin_sync(shim, child, log, sync_errno=EIO)
    child.do(f"os.pwrite({log}, b'TWO', 8)")
    assert child.do(f"os.fsync({log})") is None
    assert end_sync(child) == "EIO"
    child.__exit__()
    shim.cut_power()

    assert left(data) == {"log": b"first" + bytes(3) + b"TWO"}


def test_a_directory_sync_under_way_keeps_the_names_from_when_it_began(
    shim: Shim, child: Child, data: Path
) -> None:
    """A file that loses its name meanwhile is still there with its content."""
    directory = child.do("os.open({}, os.O_RDONLY)")
    begin_sync(shim, child, directory)
    child.do("os.unlink({log})")
    new = child.open("new")
    child.do(f"os.write({new}, b'second')")
    child.do(f"os.fsync({new})")
    assert end_sync(child) is None
    child.__exit__()
    shim.cut_power()
    assert left(data) == {"log": b"first"}

    with Child(shim.environment, data) as again:
        directory = again.do("os.open({}, os.O_RDONLY)")
        begin_sync(shim, again, directory)
        again.do("os.rename({log}, {new})")
        again.sync_names()
        assert end_sync(again) is None
    shim.cut_power()
    assert left(data) == {"new": b"first"}
