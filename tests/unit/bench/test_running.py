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
    )


def commit(size: Size, folder: Path) -> list[Figure]:
    """Measure nothing, in a folder that must be empty."""
    assert list(folder.iterdir()) == []
    (folder / "data").touch()
    return [Figure("commit", "1.00 ms", "<= 1.5 ms", met=True)]


def broken(size: Size, folder: Path) -> list[Figure]:
    """Fail."""
    raise RuntimeError("a write was refused")


def test_what_was_found_is_written_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON and a page, with their paths; no data stays behind."""
    path = tmp_path / "run.json"

    run, told = running.run(choice(("commit", "commit"), path), {"commit": commit})

    assert load(path) == run
    assert [figure.value for o in run.outcomes for figure in o.figures] == [1.0, 1.0]
    assert run.outcomes[0].workload.startswith("Measure nothing")
    assert len(told) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.html", "run.json"]
    out = capsys.readouterr().out
    assert "2 of 2, commit" in out
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


def test_a_run_that_found_nothing_writes_nothing(tmp_path: Path) -> None:
    """An empty result would be taken for one."""
    path = tmp_path / "run.json"

    with pytest.raises(RuntimeError, match="refused"):
        running.run(choice(("broken",), path), {"broken": broken})

    assert not path.exists()


def test_a_run_names_the_state_of_the_code() -> None:
    """Or says that it does not know it."""
    assert running.commit()
