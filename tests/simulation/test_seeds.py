"""The real cluster code under a bounded number of seeds; `make simulate` runs more."""

import os
import subprocess
import sys

import pytest

SEEDS = int(os.environ.get("SIM_SEEDS", "100"))
JOBS = min(2, os.cpu_count() or 1)
DEADLINE_S = 900


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the simulation as a process of its own: its loops would meddle with ours."""
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation.run", *arguments],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workload", "share"), [("lists", 0.5), ("catalog", 0.5), ("leases", 0.03)]
)
def test_no_seed_breaks_a_promise(workload: str, share: float) -> None:
    """I1, I6, I7, I9, I10 under crashes, power cuts, partitions and wiped disks.

    And I4, with services that live and die; its seeds take ten times as long.
    """
    seeds = ("--seeds", str(max(1, int(SEEDS * share))), "--jobs", str(JOBS))
    done = run(*seeds, "--workload", workload)

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    assert " 0 violations" in done.stdout


@pytest.mark.slow
def test_one_seed_gives_one_trace_in_any_process() -> None:
    """A failing seed can be replayed, on this machine or another."""
    arguments = ("--seeds", "2", "--start", "1000", "--seconds", "15", "--digest")
    first, second = (run(*arguments).stdout.splitlines()[:2] for _ in range(2))

    assert len(first[0].split()) == 3
    assert first == second
