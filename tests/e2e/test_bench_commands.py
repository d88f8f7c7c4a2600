"""`python -m bench`: what it writes, and the commands over what was written."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.results import Run, load
from bench.scenarios import SCENARIOS
from tests.support.process_replica import TOP, environment

pytestmark = pytest.mark.e2e

README = TOP / "bench" / "README.md"
OWN = ("growth", "failover", "recovery", "flood", "platform", "overshoot")
"""The scenarios whose smallest run is looked at here; others have tests of theirs."""


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=TOP,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=120,
    )


def run_quickly(name: str, folder: Path) -> Run:
    """Run a scenario with tiny numbers; return what it wrote."""
    path = folder / f"{name}.json"
    ended = bench(name, "--quick", "--json", str(path))
    assert ended.returncode == 0, ended.stderr
    assert str(path) in ended.stdout
    return load(path)


@pytest.mark.parametrize("name", OWN)
def test_a_scenario_runs_with_tiny_numbers(name: str, tmp_path: Path) -> None:
    """It fails by itself when a request is refused or an instance is missing."""
    (outcome,) = run_quickly(name, tmp_path).outcomes

    assert outcome.scenario == name
    assert outcome.figures
    assert not any(
        figure.value for figure in outcome.figures if "failed" in figure.name
    )
    assert all(sample.requests for sample in outcome.samples)


def test_what_was_written_is_compared_and_reported(tmp_path: Path) -> None:
    """The file is all that is needed, on any machine."""
    run_quickly("overshoot", tmp_path)
    path, html = tmp_path / "overshoot.json", tmp_path / "again.html"

    compared = bench("compare", str(path), str(path))
    reported = bench("report", str(path), "--html", str(html))

    assert (compared.returncode, reported.returncode) == (0, 0)
    assert "cannot be compared" in compared.stdout
    assert load(path).made is not None
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    "wrong",
    [
        ("no-such-scenario",),
        ("--peer", "without-a-url"),
        ("--all", "overshoot"),
        ("compare", "one.json"),
        ("overshoot", "--folder", "/no/such/folder"),
        ("overshoot", "--json", "/no/such/folder/x.json"),
        ("overshoot", "--html", "/tmp"),
        ("discovery", "--url", "http://127.0.0.1:1"),
    ],
)
def test_a_wrong_command_line_is_refused(wrong: tuple[str, ...]) -> None:
    """Before anything is started; the usage, which fills a screen, is not told."""
    ended = bench(*wrong)

    assert ended.returncode == 2
    assert "usage:" not in ended.stdout + ended.stderr
    assert not Path("/no/such").exists()


def test_a_file_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """In words."""
    path = tmp_path / "no.json"
    path.write_text("{}")

    ended = bench("report", str(path))

    assert ended.returncode == 2
    assert "no report" in ended.stdout


def test_a_scenario_that_needs_its_own_cluster_says_so(tmp_path: Path) -> None:
    """It must not kill the leader of somebody's cluster."""
    path = tmp_path / "run.json"

    ended = bench("failover", "--url", "http://127.0.0.1:1", "--json", str(path))

    assert ended.returncode == 0, ended.stderr
    (outcome,) = load(path).outcomes
    assert (outcome.figures, len(outcome.absent)) == ((), 1)


def test_every_scenario_is_explained() -> None:
    """A figure that nobody can read is none."""
    text = README.read_text()

    assert [name for name in SCENARIOS if f"| `{name}` |" not in text] == []
