"""The judge of leases must find each mistake of a duty, or its praise means nothing."""

import os
import subprocess
import sys

import pytest

SEEDS = 20
DEADLINE_S = 300

EXPECTED = {
    "forgets-renewals": "FALSE EVICTION",
    "counts-stalls": "FALSE EVICTION",
    "asks-nobody": "no probe that reached it",
    "checks-prove-nothing": "FALSE EVICTION",
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", EXPECTED)
def test_the_judge_finds_a_careless_duty(mistake: str) -> None:
    """I4, and that one blind replica is not taken for the death of a service."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.careless", mistake, str(SEEDS)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )

    assert done.returncode == 0, done.stdout + done.stderr[-5_000:]
    assert EXPECTED[mistake] in done.stdout
