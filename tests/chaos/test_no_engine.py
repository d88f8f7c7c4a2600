"""Without a docker engine its tests are left out, and it is said; in CI it must be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process_replica import TOP

pytestmark = pytest.mark.slow

WITHIN_S = 60.0
FILE = "tests/chaos/test_image.py"


def run_tests(folder: Path, *arguments: str, ci: str) -> tuple[int, str]:
    """Run docker's tests where no engine is; return how that ended."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DOCKER_HOST": f"unix://{folder}/no.sock",
        "CI": ci,
    }
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", FILE)
    done = subprocess.run(
        [*command, *arguments],
        cwd=TOP,
        env=environ,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_developer_is_told_what_was_left_out(tmp_path: Path) -> None:
    """One line, and no failure."""
    code, said = run_tests(tmp_path, "-m", "docker", ci="")

    assert code == 0, said
    lines = [line for line in said.splitlines() if "no docker engine answers" in line]
    assert len(lines) == 1, said


def test_ci_must_not_leave_them_out(tmp_path: Path) -> None:
    """A gate that skips quietly guards nothing."""
    code, said = run_tests(tmp_path, "-m", "docker", ci="true")

    assert code not in (0, 5), said
    assert "no docker engine answers" in said


def test_who_wants_none_of_them_needs_no_engine(tmp_path: Path) -> None:
    """`make test` asks no engine, in CI neither."""
    code, said = run_tests(tmp_path, "-m", "not docker", ci="true")

    assert code == 5, said  # nothing was chosen
    assert "no docker engine answers" not in said
