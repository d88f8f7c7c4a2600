"""The log without faults: what was written is found again."""

import pytest

from cluster.config import Limits
from cluster.identity import Identity, Standing
from cluster.storage.records import (
    NO_OP,
    Commit,
    Entry,
    HardState,
    Reset,
    Truncate,
)
from cluster.storage.segment import read_segment
from cluster.storage.wal import Wal
from tests.support.sim_files import SimFiles
from tests.unit.storage.samples import ALICE, SMALL, entry, founded, indexes, recover


def test_an_empty_directory_has_no_identity() -> None:
    """So the replica knows that it was never part of a cluster."""
    files = SimFiles()
    found = recover(files)

    assert found.identity is None
    assert (found.entries, found.term, found.voted_for) == ([], 0, None)
    assert (found.commit_index, found.torn_bytes, found.segments) == (0, 0, 0)
    assert files.names() == []


def test_everything_written_is_found_again() -> None:
    """Entries, term, vote, commit index and identity, over several segments."""
    files = SimFiles()
    wal = founded(files)
    wal.write([HardState(3, "b")])
    for index in range(2, 30):
        wal.write([entry(index, 3), Commit(index - 1)])
    segments = wal.segments
    found = recover(files)

    assert segments > 3
    assert found.segments == segments
    assert found.identity == ALICE
    assert found.entries[0] == (NO_OP, 1, 0)
    assert found.entries[1:] == [(entry(i, 3).command, i, 3) for i in range(2, 30)]
    assert (found.term, found.voted_for, found.commit_index) == (3, "b", 28)


def test_a_batch_costs_one_write_and_one_sync() -> None:
    """It is on the path of every commit."""
    calls: list[str] = []
    files = SimFiles()
    wal = founded(files, Limits())
    files.on_operation = calls.append
    wal.write([entry(2), entry(3), HardState(1, None), Commit(2)])
    wal.write([])

    assert calls == ["write", "sync"]


def test_truncated_entries_are_gone() -> None:
    """A new leader's entries replace those that were never committed."""
    files = SimFiles()
    wal = founded(files)
    wal.write([entry(i) for i in range(2, 20)])
    wal.write([Truncate(5), entry(5, 2)])
    found = recover(files)

    assert indexes(found) == [1, 2, 3, 4, 5]
    assert found.entries[-1] == (entry(5, 2).command, 5, 2)


def test_a_reset_leaves_one_base_entry() -> None:
    """After a snapshot install the log begins at the snapshot."""
    files = SimFiles()
    wal = founded(files)
    wal.write([entry(2), entry(3)])
    wal.write([Reset(100, 7), entry(101, 7), Commit(101)])
    found = recover(files)

    assert found.entries == [(NO_OP, 100, 7), (entry(101, 7).command, 101, 7)]
    assert found.commit_index == 101


def test_the_commit_index_is_never_beyond_the_last_entry() -> None:
    """PySyncObj would acknowledge alone if it were (RAFT.md: minimal_commitindex)."""
    files = SimFiles()
    wal = founded(files)
    wal.write([entry(2), Commit(2)])
    wal.write([Truncate(2)])

    assert recover(files).commit_index == 1


def test_a_new_identity_begins_a_segment() -> None:
    """Who we are must be known before anything else of the segment is read."""
    files = SimFiles()
    wal, _ = Wal.recover(files, SMALL)
    wal.write_identity(Identity("a"))
    wal.write([HardState(0, None)])
    wal.write_identity(ALICE)
    found = recover(files)

    assert found.identity == ALICE
    assert found.identity.standing is Standing.MEMBER
    assert found.segments == 2


def test_nothing_is_written_without_an_identity() -> None:
    """A segment without it could later be taken for another cluster's."""
    wal, _ = Wal.recover(SimFiles(), SMALL)

    with pytest.raises(ValueError, match="identity"):
        wal.write([entry(1)])


def test_segments_behind_a_snapshot_are_dropped() -> None:
    """And the rest still carries the term, the vote and the commit index."""
    files = SimFiles()
    wal = founded(files)
    wal.write([HardState(1, "a"), Commit(1)])
    for index in range(2, 40):
        wal.write([entry(index)])
    before = wal.segments
    wal.drop_before(20)
    found = recover(files)

    assert wal.segments == found.segments < before
    assert 1 < indexes(found)[0] <= 20
    assert indexes(found) == list(range(indexes(found)[0], 40))
    assert (found.term, found.voted_for, found.commit_index) == (1, "a", 1)


def test_no_entry_that_is_still_needed_is_dropped() -> None:
    """``drop_before(n)`` keeps n itself: the first entry that a follower may need."""
    files = SimFiles()
    wal = founded(files)
    for index in range(2, 40):
        wal.write([entry(index)])
    for index in range(1, 40):
        wal.drop_before(index)

        assert index in indexes(recover(files))


def test_the_newest_segment_is_never_dropped() -> None:
    """It is the one that is open, and it knows the term and the vote."""
    files = SimFiles()
    wal = founded(files)
    for index in range(2, 40):
        wal.write([entry(index)])
    wal.drop_before(1_000)
    segments = wal.segments
    wal.write([entry(40)])

    assert segments == 1
    assert indexes(recover(files))[-1] == 40


def test_what_a_reset_replaced_is_dropped_whatever_its_indexes() -> None:
    """An uncommitted tail may have reached beyond the snapshot's index."""
    files = SimFiles()
    wal = founded(files)
    for index in range(2, 40):
        wal.write([entry(index)])
    wal.write([Reset(30, 5)])
    wal.drop_before(30)

    assert wal.segments == 1
    assert indexes(recover(files)) == [30]


def test_what_was_truncated_keeps_no_segment() -> None:
    """Its segment may hold higher indexes than the log now has."""
    files = SimFiles()
    wal = founded(files)
    for index in range(2, 40):
        wal.write([entry(index)])
    wal.write([Truncate(5), entry(5, 2)])
    wal.drop_before(5)

    assert wal.segments == 1
    assert indexes(recover(files)) == [5]


def test_a_truncation_into_dropped_segments_is_understood() -> None:
    """The entries were replaced later in a segment that is kept."""
    files = SimFiles()
    wal = founded(files)
    for index in range(2, 20):
        wal.write([entry(index)])
    wal.write_identity(ALICE)
    wal.write([Truncate(10), *(entry(i, 2) for i in range(10, 15))])
    wal.drop_before(10)
    wal.write([entry(15, 2)])
    for index in range(16, 30):
        wal.write([entry(index, 2)])

    assert indexes(recover(files)) == list(range(10, 30))


def test_dropping_goes_on_after_a_restart() -> None:
    """Which entries a segment holds is learnt again from the disk."""
    files = SimFiles()
    wal = founded(files)
    for index in range(2, 40):
        wal.write([entry(index)])
    wal.close()
    wal, found = Wal.recover(files, SMALL)
    wal.drop_before(39)

    assert wal.segments < found.segments
    assert indexes(recover(files))[-1] == 39


def test_the_last_term_is_known_after_a_truncation_behind_a_drop() -> None:
    """The next segment's header says it, and recovery compares."""
    files = SimFiles()
    wal = founded(files)
    wal.write([entry(2, 1), entry(3, 2), entry(4, 3)])
    wal.write_identity(ALICE)
    wal.write([entry(5, 4), entry(6, 5)])
    wal.drop_before(5)
    wal.write([Truncate(6)])
    wal.write_identity(ALICE)
    found = recover(files)
    header = read_segment(files, 3, newest=True).header

    assert indexes(found) == [5]
    assert (header.last_index, header.last_term) == (5, 4)


def test_a_gap_is_refused_before_it_reaches_the_disk() -> None:
    """A log with a gap would refuse to start, on every replica that has it."""
    files = SimFiles()
    wal = founded(files)
    before = {name: files.content(name) for name in files.names()}
    with pytest.raises(ValueError, match="entry 3 follows entry 1"):
        wal.write([entry(3)])

    assert {name: files.content(name) for name in files.names()} == before


def test_bytes_written_counts_what_was_found_too() -> None:
    """Else a replica that restarts often would never make a snapshot."""
    files = SimFiles()
    wal = founded(files)
    for index in range(2, 40):
        wal.write([entry(index)])
    written = wal.bytes_written
    wal.close()
    again, _ = Wal.recover(files, SMALL)

    assert written == again.bytes_written
    assert written == sum(len(files.content(name)) for name in files.names())


def test_foreign_files_are_left_alone() -> None:
    """The lock, snapshots and lost+found lie in the same directory."""
    files = SimFiles()
    founded(files)
    for name in ("lock", "wal-1.log", "wal-zz.log", "snapshot-1", "x.tmp"):
        files.put(name, b"foreign")
    recover(files)

    assert {"lock", "wal-1.log", "wal-zz.log", "snapshot-1", "x.tmp"} < set(
        files.names()
    )


def test_an_entry_may_be_longer_than_a_segment() -> None:
    """The bound of a segment says when to begin the next one, not what fits."""
    files = SimFiles()
    wal = founded(files)
    wal.write([Entry(2, 1, b"x" * 5_000)])
    wal.write([entry(3)])

    assert indexes(recover(files)) == [1, 2, 3]
