"""What every implementation of the port Files does, simulated or real."""

from contextlib import closing

import pytest

from cluster.ports import Files


def put(files: Files, name: str, content: bytes) -> None:
    """Write a file."""
    with closing(files.open_append(name)) as file:
        file.write(content)
        file.sync()


def get(files: Files, name: str) -> bytes:
    """Read a file."""
    with closing(files.open_read(name)) as file:
        return file.read_at(0, file.size())


class FilesContract:
    """Subclass it and say how to make an empty directory."""

    @pytest.fixture
    def files(self) -> Files:
        """Return Files on an empty directory."""
        raise AssertionError("the subclass makes them")

    def test_a_new_directory_is_empty(self, files: Files) -> None:
        """Recovery takes an empty directory for a replica that never ran."""
        assert files.names() == []

    def test_what_was_appended_is_read_back(self, files: Files) -> None:
        """The log is nothing but appends; a file opened again goes on at its end."""
        put(files, "a", b"one")
        put(files, "a", b"two")

        assert get(files, "a") == b"onetwo"

    def test_the_size_includes_what_is_not_synced(self, files: Files) -> None:
        """The log places its batches by it."""
        put(files, "a", b"12")
        with closing(files.open_append("a")) as file:
            file.write(b"345")

            assert file.size() == 5

    def test_reading_stops_at_the_end(self, files: Files) -> None:
        """A torn file must read as short, not as an error."""
        put(files, "a", b"12345")
        with closing(files.open_read("a")) as file:
            assert file.size() == 5
            assert file.read_at(3, 10) == b"45"
            assert file.read_at(5, 10) == b""

    def test_a_missing_file_is_not_read_or_removed(self, files: Files) -> None:
        """Lost files must be noticed, not taken for empty ones."""
        with pytest.raises(FileNotFoundError):
            files.open_read("a")
        with pytest.raises(FileNotFoundError):
            files.unlink("a")
        with pytest.raises(FileNotFoundError):
            files.rename("a", "b")

    def test_names_are_sorted(self, files: Files) -> None:
        """Segments are read in the order of their names."""
        for name in ("b", "c", "a"):
            put(files, name, b"")

        assert files.names() == ["a", "b", "c"]

    def test_renaming_replaces(self, files: Files) -> None:
        """A snapshot gets its name only when it is whole, over an older one."""
        put(files, "old", b"new content")
        put(files, "name", b"former")

        files.rename("old", "name")
        files.sync_directory()

        assert files.names() == ["name"]
        assert get(files, "name") == b"new content"

    def test_an_open_file_is_appended_to_under_its_new_name(self, files: Files) -> None:
        """A segment is renamed while it stays open."""
        with closing(files.open_append("a.tmp")) as file:
            file.write(b"1")
            files.rename("a.tmp", "a")
            file.write(b"2")

        assert get(files, "a") == b"12"

    def test_an_open_file_outlives_its_name(self, files: Files) -> None:
        """A snapshot goes on being sent while a newer one replaces it."""
        put(files, "a", b"first")
        put(files, "b", b"second")
        with closing(files.open_read("a")) as file:
            files.rename("b", "a")
            files.unlink("a")

            assert file.read_at(0, 10) == b"first"
        assert files.names() == []

    def test_reserved_space_is_a_file_of_that_size(self, files: Files) -> None:
        """Reserving again changes the size."""
        files.reserve("r", 10_000)
        files.reserve("r", 5_000)

        assert len(get(files, "r")) == 5_000

    def test_too_much_cannot_be_reserved(self, files: Files) -> None:
        """The reserve must be real disk, so a sparse file will not do."""
        with pytest.raises(OSError, match=r".+"):
            files.reserve("r", files.free_bytes() * 4 + 1)

        assert files.names() == []

    def test_names_that_leave_the_directory_are_refused(self, files: Files) -> None:
        """All data lies flat in one directory."""
        for name in ("", "..", "a/b"):
            with pytest.raises(ValueError, match="plain"):
                files.open_append(name)
