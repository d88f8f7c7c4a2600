"""Signals as exceptions: in this process, which handles them as before afterwards."""

import os
import signal
from collections.abc import Iterator

import pytest

from bench import stopping
from tests.support.signals import heard


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Put back what handled the signals."""
    with heard():
        yield


@pytest.mark.parametrize("number", stopping.NUMBERS)
def test_a_signal_passes_through_every_finally(
    number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """And gives the exit code that a shell would tell."""
    ended = []

    def main() -> int:
        try:
            os.kill(os.getpid(), number)
            return 0
        finally:
            os.kill(os.getpid(), number)  # somebody is impatient
            ended.append(True)

    assert stopping.in_order(main, "stopping") == 128 + number
    assert ended == [True]
    assert capfd.readouterr().err == "\nstopping\n"


def test_what_was_ignored_stays_ignored() -> None:
    """As under `nohup`."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def main() -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        return 7

    assert stopping.in_order(main) == 7


def test_without_a_signal_the_exit_code_is_its_own() -> None:
    """Nothing is added."""
    assert stopping.in_order(lambda: 3) == 3
