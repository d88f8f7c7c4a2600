"""The long run of the simulation: `make soak`; its last result is in tests/SOAK.md."""

import os
import subprocess
import sys

import pytest

SEEDS = 5_000
DEADLINE_S = 4 * 3600


@pytest.mark.soak
def test_five_thousand_seeds_with_power_cuts_break_no_promise() -> None:
    """I9: what unsynced bytes a power cut takes was never acknowledged."""
    command = [sys.executable, "-m", "tests.simulation.run", "--seeds", str(SEEDS)]
    command += ["--start", "100000", "--profile", "power", "--seconds", "15"]
    command += ["--jobs", str(os.cpu_count() or 1)]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    assert " 0 violations" in done.stdout
