"""`python -m bench` ended by a signal: nothing stays behind, and nobody sees why."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.results import load
from tests.support.process_replica import TOP, environment
from tests.support.signals import heard
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """What is started begins with signals that end it."""
    with heard():
        yield


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start it, with all that is temporary in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments, "--json", str(folder / "a.json")],
        cwd=TOP,
        env=environment({"TMPDIR": str(folder / "temporary")}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_said(process: subprocess.Popen[str], words: str) -> None:
    """Wait for a line with these words."""
    assert process.stdout is not None
    assert any(words in line for line in process.stdout), process.communicate()[1]


def left(folder: Path) -> list[bytes]:
    """Return the command lines of processes that work in a folder (Linux)."""
    found = []
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = told.read_bytes()
        except OSError:
            continue  # it has just ended
        if str(folder).encode() in words:
            found.append(words)
    return found


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name
)
def test_a_signal_ends_all_that_was_started(
    number: signal.Signals, tmp_path: Path
) -> None:
    """Servers, loads and folders; told in one line, and what was finished is kept."""
    (tmp_path / "temporary").mkdir()
    process = started(tmp_path, "overshoot", "heartbeats", "--quick")
    try:
        wait_said(process, "heartbeats: ours")
        process.send_signal(number)
        out, said = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode == 128 + number
    assert [line for line in said.splitlines() if line] == [
        "stopping: what was started is ended, what was finished is kept …"
    ]
    assert "finished: 1 of 2" in out
    assert len(load(tmp_path / "a.json").outcomes) == 1
    wait_until(lambda: not left(tmp_path), "an end of all processes")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_second_signal_does_not_disturb_the_end(tmp_path: Path) -> None:
    """Who presses Ctrl-C twice would leave servers behind."""
    (tmp_path / "temporary").mkdir()
    process = started(tmp_path, "heartbeats")
    try:
        wait_said(process, "heartbeats: ours")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    assert "Traceback" not in said
    wait_until(lambda: not left(tmp_path), "an end of all processes")
    assert list((tmp_path / "temporary").iterdir()) == []
