"""Every measurement runs; how fast it finds things to be is no matter of a test."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import MEASUREMENTS
from tests.support.process_replica import TOP, environment

pytestmark = pytest.mark.e2e

README = TOP / "bench" / "README.md"
RUN = (sys.executable, "-m", "bench", "--quick", "--folder")


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_measurement_runs_with_tiny_numbers(name: str, tmp_path: Path) -> None:
    """It fails by itself when a write is refused or a registration is missing."""
    result = subprocess.run(
        [*RUN, str(tmp_path), name],
        cwd=TOP,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert result.returncode == 0, result.stderr
    assert "| figure" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_every_measurement_is_explained() -> None:
    """A figure that nobody can read is none."""
    text = README.read_text()

    assert [name for name in MEASUREMENTS if f"| `{name}` |" not in text] == []
