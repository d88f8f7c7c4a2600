"""What a run shows where there is no terminal: steps as lines, the table at the end."""

import pytest

from bench.results import figure
from bench.screen import Screen
from tests.unit.bench import runs


def test_a_file_gets_each_step_and_then_the_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As in the log of a CI run; names are text, whatever brackets are in them."""
    judged = figure("read [bold] / raw", [0.9], "x", aim=0.92, floor=0.85)

    with Screen() as screen:
        screen.tell("turn 1 of [red]")
        screen.add(runs.outcome(judged))

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "turn 1 of [red]"
    assert "read [bold] / raw" in lines[2]
    assert "floor held" in lines[2]
    assert "not here: nginx" in lines[3]


def test_a_run_that_found_nothing_shows_no_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A head without rows would look like a result."""
    with Screen():
        pass

    assert capsys.readouterr().out == ""
