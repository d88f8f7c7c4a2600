"""A run of several parts: what it writes, also when one of them fails."""

from pathlib import Path

import pytest

from bench import running
from bench.figures import Figure, Size
from bench.results import load


def choice(names: tuple[str, ...], path: Path) -> running.Choice:
    """Choose some measurements, with tiny numbers."""
    return running.Choice(
        names=names,
        quick=True,
        folder=path.parent,
        peers={},
        url=None,
        json=path,
        html=None,
        arguments=("--quick",),
    )


def commit(size: Size, folder: Path) -> list[Figure]:
    """Measure nothing, in a folder that must be empty."""
    assert list(folder.iterdir()) == []
    (folder / "data").touch()
    return [Figure("commit", "1.00 ms", "<= 1.5 ms", met=True)]


def stopped(size: Size, folder: Path) -> list[Figure]:
    """Be interrupted."""
    raise KeyboardInterrupt


def broken(size: Size, folder: Path) -> list[Figure]:
    """Fail."""
    raise RuntimeError("a write was refused")


def test_what_was_found_is_written_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON and a page, with their paths; no data stays behind."""
    path = tmp_path / "run.json"

    run = running.run(choice(("commit", "commit"), path), {"commit": commit})

    assert load(path) == run
    assert [figure.value for o in run.outcomes for figure in o.figures] == [1.0, 1.0]
    assert run.outcomes[0].workload.startswith("Measure nothing")
    assert run.made is not None
    assert (run.made.is_quick, run.made.arguments) == (True, ("--quick",))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.html", "run.json"]
    out = capsys.readouterr().out
    assert "2 of 2, commit" in out
    assert out.count("1.00 ms") == 2
    assert f"results: {path}" in out
    assert f"report: {path.with_suffix('.html')}" in out


def test_what_came_before_a_failure_is_kept(tmp_path: Path) -> None:
    """Half an hour of measurements must not go with the last one."""
    path = tmp_path / "run.json"

    with pytest.raises(RuntimeError, match="refused"):
        running.run(
            choice(("commit", "broken"), path), {"commit": commit, "broken": broken}
        )

    assert len(load(path).outcomes) == 1


def test_what_came_before_a_signal_is_kept_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody has seen enough; or the time of a CI job was over."""
    path = tmp_path / "run.json"
    measurements = {"commit": commit, "stopped": stopped}

    with pytest.raises(KeyboardInterrupt):
        running.run(choice(("commit", "stopped"), path), measurements)

    assert len(load(path).outcomes) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.html", "run.json"]
    out = capsys.readouterr().out
    assert "| commit | 1.00 ms  |        |  |" in out
    assert "finished: 1 of 2" in out


def test_a_quick_run_judges_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of tiny numbers a miss would be as wrong as a hit."""
    run = running.run(choice(("commit",), tmp_path / "run.json"), {"commit": commit})

    assert run.caveat
    assert [figure.verdict for o in run.outcomes for figure in o.figures] == [""]
    out = capsys.readouterr().out
    assert run.caveat in out
    assert "met" not in out


def test_a_run_that_found_nothing_writes_nothing(tmp_path: Path) -> None:
    """An empty result would be taken for one."""
    path = tmp_path / "run.json"

    with pytest.raises(RuntimeError, match="refused"):
        running.run(choice(("broken",), path), {"broken": broken})

    assert not path.exists()
