"""The disk and the clock that the library `shim` gives to a process: as real ones fail.

Each test has a small child, which does to a data directory's files what it is told.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from errno import EIO, ENOSPC
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.chaos.bed import BedFailed
from tests.chaos.beds.shim import Control, Shim, compile_shim
from tests.support.shim_child import Child

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is Linux's"),
]

HOURS_S = 3 * 3600.0
SLOW_S = 1.0
BEGUN_S = 0.3
"""After so long a sync in another thread has begun, and is far from its end."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile it once."""
    library = compile_shim(tmp_path_factory.mktemp("shim"))
    if library is None:
        pytest.skip("there is no C compiler")
    return library


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the data directory, with a durable file in it."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "log").write_bytes(b"first")
    return data


@pytest.fixture
def shim(library: Path, data: Path) -> Shim:
    """Return the shim around that directory."""
    return Shim(library, data)


@pytest.fixture
def child(shim: Shim, data: Path) -> Iterator[Child]:
    """Run a child; it may be ended before, too."""
    with Child(shim.environment, data) as child:
        yield child


def left(data: Path) -> dict[str, bytes]:
    """Return what is in the directory."""
    return {file.name: file.read_bytes() for file in data.iterdir()}


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


def test_a_full_disk_takes_no_more_and_says_so(
    shim: Shim, child: Child, data: Path
) -> None:
    """Nothing is written, and other disks are not full."""
    log = child.open()
    beside = child.do(f"os.open({str(data.parent / 'x')!r}, os.O_WRONLY | os.O_CREAT)")
    assert child.do("os.statvfs({}).f_bavail") > 0
    shim.control = Control(write_errno=ENOSPC)

    assert child.do(f"os.write({log}, b'x')") == "ENOSPC"
    assert child.do(f"os.posix_fallocate({log}, 0, 9000)") == "ENOSPC"
    assert child.do("os.statvfs({}).f_bavail") == 0
    assert child.do(f"os.write({beside}, b'x')") == 1
    assert left(data) == {"log": b"first"}
    shim.control = Control()
    assert child.do(f"os.write({log}, b'x')") == 1


def test_a_sync_takes_as_long_as_the_disk_is_said_to_need(
    shim: Shim, child: Child
) -> None:
    """And a write does not."""
    log = child.open()
    shim.control = Control(sync_s=0.2)
    began_s = child.do("time.monotonic()")
    child.do(f"os.write({log}, b'x')")
    wrote_s = child.do("time.monotonic()")
    child.do(f"os.fdatasync({log})")
    synced_s = child.do("time.monotonic()")

    assert wrote_s - began_s < 0.2 <= synced_s - wrote_s


@pytest.mark.parametrize("hours_s", [HOURS_S, -HOURS_S])
def test_the_wall_clock_steps_in_a_running_process_and_no_other_does(
    shim: Shim, child: Child, hours_s: float
) -> None:
    """By every call that tells it; set right again, it is."""
    for clock in ("time.time()", "libc.time(None)", "os.times().elapsed"):
        before = child.do(clock)
        shim.control = replace(shim.control, clock_s=hours_s)
        after = child.do(clock)
        shim.control = Control()
        moved_s = 0.0 if clock.startswith("os") else hours_s
        assert after - before == pytest.approx(moved_s, abs=5.0)
        assert child.do(clock) - before == pytest.approx(0.0, abs=5.0)
    began_s = child.do("time.monotonic()")
    shim.control = Control(clock_s=hours_s)
    assert 0.0 <= child.do("time.monotonic()") - began_s < 5.0


def test_without_a_compiler_there_is_no_library_but_ci_must_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who clones this can run the tests; where they count, nothing is left out."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    assert compile_shim(tmp_path) is None
    monkeypatch.setenv("CI", "true")
    with pytest.raises(BedFailed):
        compile_shim(tmp_path)
