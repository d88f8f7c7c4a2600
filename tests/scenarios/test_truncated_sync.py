"""A truncation voids the mark of a sync under way: what it covered is cut.

The journal hands entries 2-5 to the disk; before they are there, a new leader's entries
take the places of 4 and 5, and only then the old sync ends.
"""

from cluster.entry import NO_OP
from cluster.raft.journal import RaftJournal


class IndexesOnly(RaftJournal):
    """Without the repair: a sync covers every index that it was begun with."""

    def synced(self, token: tuple[int, int, int]) -> None:
        """Count up to the last index of then, whatever is there now."""
        self.synced_mark = token[0]
        self.durable_index = min(token[1], self.last_index)


def _play(kind: type[RaftJournal]) -> RaftJournal:
    journal = kind([(NO_OP, 1, 0)], 1, None, 1)
    for index in range(2, 6):
        journal.add(b"\x00old", index, 1)
    _, token = journal.take()
    journal.deleteEntriesFrom(3)
    for index in (4, 5):
        journal.add(b"\x00new", index, 2)
    journal.synced(token)
    return journal


def test_a_sync_of_entries_that_were_cut_covers_nothing() -> None:
    """Entries 4 and 5 of term 2 are not on disk."""
    journal = _play(RaftJournal)
    assert journal.durable_index <= 3
    _, token = journal.take()
    journal.synced(token)

    assert journal.durable_index == 5


def test_without_the_token_unsynced_entries_count() -> None:
    """The defect: two entries are promised that a power cut would take."""
    journal = _play(IndexesOnly)

    assert journal.durable_index == 5
    assert journal.has_pending
