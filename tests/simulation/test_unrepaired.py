"""The judge must condemn what is known to be broken, or its praise means nothing."""

import os
import re
import subprocess
import sys

import pytest

SEEDS = 8
DEADLINE_S = 300


def broken(*arguments: str) -> int:
    """Return how many seeds of the released library break a promise."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.unrepaired", str(SEEDS), *arguments],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    verdict = re.search(r"^(\d+) of \d+ seeds break", done.stdout, re.MULTILINE)
    assert verdict is not None, done.stdout + done.stderr
    return int(verdict[1])


@pytest.mark.slow
def test_the_released_protocol_breaks_promises_without_any_power_cut() -> None:
    """Truncated commits, livelocks: a third to a half of all seeds find them."""
    assert broken() >= 2


@pytest.mark.slow
def test_the_released_library_loses_acknowledged_writes_in_power_cuts() -> None:
    """I9: it never syncs."""
    assert broken("power") >= 4
