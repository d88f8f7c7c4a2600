"""The real directory: the contract, and what only a real one has."""

from contextlib import closing
from pathlib import Path

import pytest

from cluster.storage.files import DirectoryFiles
from tests.unit.storage.files_contract import FilesContract, put


class TestDirectoryFiles(FilesContract):
    """On a temporary directory."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> DirectoryFiles:
        """Return Files on an empty directory."""
        return DirectoryFiles(tmp_path)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """The log holds what clients registered."""
    files = DirectoryFiles(tmp_path)
    put(files, "a", b"x")
    files.reserve("r", 10)

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o600


def test_directories_are_no_files(tmp_path: Path) -> None:
    """A fresh volume has its lost+found."""
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "wal-0000000000000001.log").mkdir()

    assert DirectoryFiles(tmp_path).names() == []


def test_reserved_space_is_real(tmp_path: Path) -> None:
    """A sparse file would hold nothing back."""
    files = DirectoryFiles(tmp_path)
    files.reserve("r", 1024 * 1024)

    assert (tmp_path / "r").stat().st_blocks * 512 >= 1024 * 1024


def test_a_second_writer_appends_as_well(tmp_path: Path) -> None:
    """O_APPEND: no writer ever writes over what is there."""
    files = DirectoryFiles(tmp_path)
    with (
        closing(files.open_append("a")) as first,
        closing(files.open_append("a")) as second,
    ):
        first.write(b"1")
        second.write(b"2")
        first.write(b"3")

    assert (tmp_path / "a").read_bytes() == b"123"


def test_closing_twice_closes_no_other_file(tmp_path: Path) -> None:
    """The number of a descriptor is given to the next file at once."""
    files = DirectoryFiles(tmp_path)
    file = files.open_append("a")
    file.close()
    with closing(files.open_append("b")) as other:
        file.close()
        other.write(b"x")

    assert (tmp_path / "b").read_bytes() == b"x"


def test_a_full_device_is_an_error() -> None:
    """Short writes and refusals are told, never swallowed."""
    with (
        closing(DirectoryFiles(Path("/dev")).open_append("full")) as file,
        pytest.raises(OSError, match="No space left"),
    ):
        file.write(b"x")
