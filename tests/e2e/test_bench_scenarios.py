"""The scenarios that compare sides run, and tell each figure that they promise."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.results import load
from tests.support.process_replica import TOP, environment

pytestmark = pytest.mark.e2e

SIDES = {
    "discovery": {"ours", "raw", "idle"},
    "traceparent": {"ours", "raw"},
    "many": {"ours", "raw", "ours, one service"},
    "changing": {"ours, nothing changes", "ours, 100 changes/s"},
    "latency": {"ours, reads only", "ours, 2,000 heartbeats/s"},
    "heartbeats": {"ours", "idle"},
    "registrations": {"ours, 256 connections", "idle, 256 connections"},
    "consistent": {"ours"},
}
"""Those that are always here."""


@pytest.mark.parametrize("name", SIDES)
def test_a_comparison_runs_with_tiny_numbers(name: str, tmp_path: Path) -> None:
    """It fails by itself when all that was asked is refused."""
    path = tmp_path / "found.json"
    command = [sys.executable, "-m", "bench", name, "--quick", "--json", str(path)]
    ended = subprocess.run(
        [*command, "--html", str(tmp_path / "found.html")],
        cwd=TOP,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    (outcome,) = load(path).outcomes

    assert outcome.scenario == name
    assert {one.side for one in outcome.samples} >= SIDES[name]
    assert [one.side for one in outcome.samples if one.errors] == []
    assert outcome.figures
