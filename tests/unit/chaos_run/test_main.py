"""The command: what it shows meanwhile and at the end, and its exit code."""

from collections.abc import Iterable
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.chaos.__main__ import main, shown
from tests.chaos.evidence import Ending, Record, Recorder
from tests.chaos.run import EVIDENCE, PAGE, TIMELINE, Standing
from tests.unit.chaos_run.made import BEGAN_S, run, steady


def written(folder: Path, *parts: Iterable[Record]) -> Path:
    """Write the evidence of a run."""
    path = folder / EVIDENCE
    with closing(Recorder(path)) as recorder:
        recorder.add(run())
        for record in (record for part in parts for record in part):
            recorder.add(record)
    return path


ENDINGS = [Ending(BEGAN_S + 11.0, n, 900, {}, {}) for n in ("a", "b", "c")]
"""All are equal, and hold nothing."""


def test_evidence_can_be_judged_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A better checker, or a better page, needs no new run."""
    path = written(tmp_path, ENDINGS)

    assert main(["--judge", str(path)]) == 0
    told = capsys.readouterr().out
    assert "seed 7: 0 findings" in told
    assert str(tmp_path / PAGE) in told
    assert str(path) in told
    assert (tmp_path / PAGE).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (tmp_path / TIMELINE).exists()


def test_a_finding_is_told_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever runs it in a script must notice; whoever reads must see the story."""
    path = written(tmp_path, steady(10.0), ENDINGS)  # where are they?

    assert main(["--judge", str(path)]) == 1
    told = capsys.readouterr().out
    assert "again: make chaos " in told
    assert "kept-0 → b: register kept-0 kept-0:" in told
    assert (tmp_path / TIMELINE).exists()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_how_far_it_is(is_terminal: bool) -> None:
    """A bar where it can be drawn; elsewhere a line now and then, not one each time."""
    text = StringIO()
    console = Console(file=text, force_terminal=is_terminal, width=160)
    with shown(console, 60.0) as show:
        for tenth in range(300):
            show(Standing(tenth / 10, "all: kill", 4, 1_234, 5_678))

    told = text.getvalue()
    for part in ("episode 5: all: kill", "1,234 writes", "5,678 reads"):
        assert part in told
    if not is_terminal:
        assert len(told.splitlines()) == 3
