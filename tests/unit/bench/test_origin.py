"""What a run tells of itself, also where nothing can be asked."""

import pytest

from bench import origin


def test_a_run_names_the_state_of_the_code() -> None:
    """Or says that it does not know it."""
    assert origin.commit()


def test_without_git_a_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an hour of measurements must not be lost for want of a name."""
    monkeypatch.setenv("PATH", "/no/such/folder")

    made = origin.made(("--quick",), is_quick=True, named={})

    assert origin.commit() == "?"
    assert (made.generator, made.versions) == ("ours", {})
    assert made.cores >= 1


def test_a_program_says_its_version() -> None:
    """In its first line, wherever it writes it; one that is not here has none."""
    assert origin.version("python3", "--version").startswith("Python 3")
    assert origin.version("http://127.0.0.1:1", "-v") == ""
