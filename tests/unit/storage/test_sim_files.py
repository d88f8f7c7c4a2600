"""The simulated disk: the same contract as the real one, and its faults."""

import errno
from contextlib import closing
from random import Random

import pytest

from tests.support.sim_files import SimFiles
from tests.unit.storage.files_contract import FilesContract, get, put


class TestSimFiles(FilesContract):
    """In memory."""

    @pytest.fixture
    def files(self) -> SimFiles:
        """Return an empty simulated disk."""
        files = SimFiles()
        files.free = 1_000_000
        return files


def test_a_power_cut_keeps_what_was_synced() -> None:
    """Name and content, whatever the dice say."""
    for seed in range(50):
        files = SimFiles()
        put(files, "a", b"synced")
        files.sync_directory()
        with closing(files.open_append("a")) as file:
            file.write(b"not synced")
        files.power_cut(Random(seed))

        assert get(files, "a").startswith(b"synced")


def test_a_power_cut_takes_any_part_of_what_was_not_synced() -> None:
    """Nothing, a part, all, and garbage: recovery has to meet them all."""
    found = set()
    for seed in range(300):
        files = SimFiles()
        put(files, "a", b"")
        files.sync_directory()
        with closing(files.open_append("a")) as file:
            file.write(b"abc")
        files.power_cut(Random(seed))
        found.add(get(files, "a"))

    assert {b"", b"a", b"ab", b"abc"} <= found
    assert len(found) > 4


def test_a_name_that_was_not_synced_may_be_lost_although_the_content_was() -> None:
    """The mistake that a directory sync is there for."""
    outcomes = set()
    for seed in range(20):
        files = SimFiles()
        put(files, "a", b"x")
        files.power_cut(Random(seed))
        outcomes.add(tuple(files.names()))

    assert outcomes == {(), ("a",)}


def test_a_lost_directory_operation_takes_those_that_build_on_it() -> None:
    """A file whose making was lost cannot turn up under its next name."""
    outcomes = set()
    for seed in range(100):
        files = SimFiles()
        put(files, "name", b"former")
        files.sync_directory()
        put(files, "tmp", b"new")
        files.rename("tmp", "name")
        files.power_cut(Random(seed))
        outcomes.add((tuple(files.names()), get(files, "name")))

    assert outcomes == {
        (("name",), b"former"),
        (("name", "tmp"), b"former"),
        (("name",), b"new"),
    }


def test_after_a_failed_sync_the_bytes_only_seem_to_be_there() -> None:
    """Linux marks pages clean that it could not write; the next sync succeeds."""
    failing = True

    def hook(name: str) -> None:
        if failing and name == "sync":
            raise OSError(errno.EIO, "simulated")

    files = SimFiles(hook)
    file = files.open_append("a")
    files.sync_directory()
    file.write(b"abc")
    with pytest.raises(OSError, match="simulated"):
        file.sync()
    failing = False
    file.sync()
    before = get(files, "a")
    files.power_cut(Random(1))

    assert before == b"abc"
    assert get(files, "a") == b"\0\0\0"


def test_a_full_disk_takes_a_part_of_a_write() -> None:
    """So the caller knows nothing of the end of the file."""
    files = SimFiles()
    files.free = 3
    file = files.open_append("a")
    with pytest.raises(OSError, match="no space") as raised:
        file.write(b"abcde")

    assert raised.value.errno == errno.ENOSPC
    assert get(files, "a") == b"abc"
    files.unlink("a")
    assert files.free_bytes() == 3


def test_files_of_a_dead_process_are_useless() -> None:
    """A simulated node that goes on writing after its crash is a bug of the test."""
    files = SimFiles()
    file = files.open_append("a")
    files.crash()

    with pytest.raises(OSError, match="process"):
        file.write(b"x")
