"""A full disk, a slow one, a clock that steps; and no library without a compiler."""

import sys
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path

import pytest

from tests.chaos.bed import BedFailed
from tests.chaos.beds.shim import Control, Shim, compile_shim
from tests.support.shim_child import Child, left

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is Linux's"),
]

HOURS_S = 3 * 3600.0


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
