"""`registry keygen`: a key nobody else can read, and never over an old one."""

import stat
from pathlib import Path

from click.testing import CliRunner

from registry.commands.root import root


def test_a_key_file_is_private_and_never_replaced(tmp_path: Path) -> None:
    """With a new key in place of the old one the members would part."""
    file = tmp_path / "raft.key"

    first = CliRunner().invoke(root, ["keygen", str(file)])
    content = file.read_text()
    second = CliRunner().invoke(root, ["keygen", str(file)])

    assert (first.exit_code, second.exit_code) == (0, 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert content.startswith("srk1:")
    assert file.read_text() == content
    assert "exists already" in second.output


def test_without_a_file_the_key_goes_to_stdout() -> None:
    """Alone, so that it can be piped into a secret store; and new each time."""
    keys = {CliRunner().invoke(root, ["keygen"]).output for _ in range(2)}

    assert len(keys) == 2
    assert all(len(key.splitlines()) == 1 for key in keys)
