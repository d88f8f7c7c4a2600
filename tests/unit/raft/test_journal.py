"""The journal: what the library counts at once, and what the disk has."""

import pytest

from cluster.entry import NO_OP
from cluster.raft.journal import MAX_SLICE, RaftJournal
from cluster.storage.records import Commit, Entry, HardState, Reset, Truncate


def journal_of(last: int, *, synced: bool = True) -> RaftJournal:
    """Return a journal with entries 1..last of term 1."""
    journal = RaftJournal([(NO_OP, 1, 0)], 1, None, 1)
    for index in range(2, last + 1):
        journal.add(b"\x00x", index, 1)
    if synced:
        _, token = journal.take()
        journal.synced(token)
    return journal


def test_what_was_read_from_the_disk_counts_after_a_sync_only() -> None:
    """It may lie in the page cache of a killed process only."""
    journal = RaftJournal([(NO_OP, 1, 0), (b"\x00x", 2, 1)], 3, "b", 2)
    assert journal.durable_index == 0
    assert journal.has_pending
    records, token = journal.take()
    journal.synced(token)

    assert records == [HardState(3, "b")]
    assert journal.durable_index == 2
    assert (journal.getCurrentTerm(), journal.getVotedForNodeId()) == (3, "b")


def test_each_change_becomes_a_record_in_order() -> None:
    """The disk must be able to say what the memory says."""
    journal = journal_of(2)
    journal.add(b"\x00a", 3, 1)
    journal.setCurrentTerm(2, "c")
    journal.deleteEntriesFrom(2)
    journal.add(b"\x00b", 3, 2)
    records, _ = journal.take()

    assert records == [
        Entry(3, 1, b"\x00a"),
        HardState(2, "c"),
        Truncate(3),
        Entry(3, 2, b"\x00b"),
    ]
    assert not journal.has_pending


def test_an_entry_is_durable_when_its_sync_ended() -> None:
    """What gathers while a sync runs belongs to the next."""
    journal = journal_of(2)
    journal.add(b"\x00a", 3, 1)
    _, token = journal.take()
    journal.add(b"\x00b", 4, 1)
    journal.synced(token)

    assert journal.durable_index == 3
    assert journal.mark > journal.synced_mark


def test_a_truncation_takes_the_mark_back_at_once() -> None:
    """The durable index never covers an entry that is not in the log."""
    journal = journal_of(6)
    journal.deleteEntriesFrom(3)

    assert (journal.last_index, journal.durable_index) == (3, 3)


def test_a_truncation_behind_the_end_changes_nothing() -> None:
    """The library asks for it with each append that brings nothing new."""
    journal = journal_of(3)
    journal.deleteEntriesFrom(3)

    assert journal.last_index == 3
    assert not journal.has_pending


def test_a_committed_entry_is_never_truncated() -> None:
    """Whoever asks for it broke an invariant: better no replica than a wrong one."""
    journal = journal_of(5)
    journal.setRaftCommitIndex(4)
    with pytest.raises(RuntimeError, match="committed entry 4"):
        journal.deleteEntriesFrom(3)

    assert journal.last_index == 5


def test_the_commit_index_rides_with_the_next_sync() -> None:
    """It costs no sync of its own, and is written once."""
    journal = journal_of(3)
    journal.setRaftCommitIndex(3)
    assert not journal.has_pending
    journal.add(b"\x00a", 4, 1)
    first, _ = journal.take()
    journal.add(b"\x00b", 5, 1)
    second, _ = journal.take()

    assert first == [Entry(4, 1, b"\x00a"), Commit(3)]
    assert second == [Entry(5, 1, b"\x00b")]


def test_the_commit_index_never_goes_back() -> None:
    """What was committed stays so."""
    journal = journal_of(5)
    journal.setRaftCommitIndex(4)
    journal.setRaftCommitIndex(2)

    assert journal.getRaftCommitIndex() == 4


def test_a_commit_index_beyond_the_log_is_cut_to_it() -> None:
    """A leader would otherwise commit alone what it adds below it."""
    journal = RaftJournal([(NO_OP, 1, 0), (b"\x00x", 2, 1)], 3, None, 28)

    assert journal.getRaftCommitIndex() == 2


def test_terms_are_known_for_what_is_in_memory() -> None:
    """None is neither a match nor a conflict."""
    journal = journal_of(9)
    journal.compact(5)

    assert [journal.term_at(index) for index in (4, 5, 9, 10)] == [None, 1, 1, None]


def test_compaction_keeps_two_entries_and_writes_nothing() -> None:
    """The library looks at the second; segments go by their own way."""
    journal = journal_of(9)
    journal.compact(100)
    assert [entry[1] for entry in journal.log] == [8, 9]
    journal.compact(3)

    assert journal.first_index == 8
    assert not journal.has_pending


def test_a_reset_begins_the_log_at_a_snapshot() -> None:
    """Nothing before it is left, and what was durable is so no more."""
    journal = journal_of(5)
    journal.reset(20, 3)
    records, token = journal.take()
    assert journal.log == [(NO_OP, 20, 3)]
    assert journal.getRaftCommitIndex() == 20
    assert journal.durable_index == 5
    journal.synced(token)

    assert records == [Reset(20, 3), Commit(20)]
    assert journal.durable_index == 20


def test_the_librarys_ways_to_lose_a_log_are_closed() -> None:
    """Compaction in place and clearing lost entries (e6_dump, minimal_compaction)."""
    journal = journal_of(5)

    with pytest.raises(RuntimeError, match="compact"):
        journal.deleteEntriesTo(2)
    with pytest.raises(RuntimeError, match="reset"):
        journal.clear()
    assert len(journal) == 5


def test_an_open_slice_is_bounded() -> None:
    """The library asks for everything behind an index and uses the first MiB."""
    journal = journal_of(MAX_SLICE + 10)

    assert len(journal[2:]) == MAX_SLICE
    assert journal[2:][0][1] == 3
    assert journal[-1][1] == MAX_SLICE + 10
    assert [entry[1] for entry in journal[1:3]] == [2, 3]
