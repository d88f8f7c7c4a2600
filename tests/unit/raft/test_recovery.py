"""Start: log and snapshot must agree, and the identity must be ours."""

import pytest

from cluster.config import ClusterConfig
from cluster.entry import NO_OP, LogEntry
from cluster.errors import DiskCorrupt, StartRefused
from cluster.identity import Identity, Standing
from cluster.raft.recovery import align, identity_for
from cluster.storage.records import Reset
from cluster.storage.recovery import Recovered
from cluster.storage.snapshot_file import SnapshotMeta

ME = Identity("a", "c1", 1, ("a", "b", "c"), Standing.MEMBER)


def log(first: int, last: int, term: int = 2) -> list[LogEntry]:
    """Return entries of one term."""
    return [(b"\x00x", index, term) for index in range(first, last + 1)]


def found(entries: list[LogEntry], commit_index: int = 1) -> Recovered:
    """Return what a disk held."""
    return Recovered(
        identity=ME,
        entries=entries,
        term=3,
        voted_for="b",
        commit_index=commit_index,
        torn_bytes=0,
        segments=1,
    )


def snapshot(index: int, term: int = 2, cluster_id: str = "c1") -> SnapshotMeta:
    """Return a snapshot's description."""
    return SnapshotMeta(index, term, cluster_id, 1, ME.members)


def test_without_a_snapshot_the_log_is_all() -> None:
    """Term and vote come from it, and a commit index within it."""
    journal = align(found(log(1, 9), commit_index=28), None, ME)

    assert (journal.first_index, journal.last_index) == (1, 9)
    assert journal.getRaftCommitIndex() == 9
    assert (journal.getCurrentTerm(), journal.getVotedForNodeId()) == (3, "b")


def test_a_log_without_its_beginning_needs_a_snapshot() -> None:
    """Somebody removed the file: the state before the log is gone."""
    with pytest.raises(DiskCorrupt, match="begins at 5, but there is no snapshot"):
        align(found(log(5, 9)), None, ME)


def test_a_log_that_contains_the_snapshots_end_is_kept_whole() -> None:
    """Also the entries before it: they serve followers a little behind."""
    journal = align(found(log(3, 20)), snapshot(10), ME)

    assert (journal.first_index, journal.last_index) == (3, 20)
    assert journal.getRaftCommitIndex() == 10


def test_a_log_that_begins_right_behind_the_snapshot_gets_its_base() -> None:
    """Segments go up to the snapshot's end; the base entry stands for it."""
    journal = align(found(log(11, 20)), snapshot(10), ME)

    assert journal.log[0] == (NO_OP, 10, 2)
    assert journal.last_index == 20


def test_a_gap_between_snapshot_and_log_is_corruption() -> None:
    """Entries that were acknowledged are missing."""
    with pytest.raises(DiskCorrupt, match="begins at 12, the snapshot ends at 10"):
        align(found(log(12, 20)), snapshot(10), ME)


@pytest.mark.parametrize("entries", [[], log(1, 5), log(1, 20, term=1)])
def test_a_log_older_than_the_snapshot_begins_anew_from_it(
    entries: list[LogEntry],
) -> None:
    """The crash came between the snapshot's rename and the Reset record; or the log
    ends in a tail that another leader's history replaced.
    """
    journal = align(found(entries), snapshot(10), ME)

    assert journal.log == [(NO_OP, 10, 2)]
    assert journal.getRaftCommitIndex() == 10
    assert Reset(10, 2) in journal.take()[0]


def test_a_snapshot_of_another_cluster_is_refused() -> None:
    """Somebody copied a file."""
    with pytest.raises(DiskCorrupt, match="of cluster 'c2'"):
        align(found(log(1, 20)), snapshot(10, cluster_id="c2"), ME)


CONFIG = ClusterConfig("a", ("c", "a", "b"))


def test_an_empty_disk_has_no_cluster_yet() -> None:
    """Its members are those of the settings, sorted."""
    expected = Identity("a", members=("a", "b", "c"))

    assert identity_for(CONFIG, None) == expected
    assert identity_for(CONFIG, Identity("x", members=("x",))) == expected


def test_a_recorded_identity_is_kept() -> None:
    """Standing and epoch are not the settings' business."""
    assert identity_for(CONFIG, ME) == ME


def test_a_disk_of_another_node_is_refused() -> None:
    """Two replicas on one directory, or a swapped volume."""
    config = ClusterConfig("b", ("a", "b", "c"))

    with pytest.raises(StartRefused, match="belongs to node 'a', this one is 'b'"):
        identity_for(config, ME)


def test_another_member_list_is_refused() -> None:
    """A majority of another set is no majority of this one."""
    config = ClusterConfig("a", ("a", "b", "d"))

    with pytest.raises(StartRefused, match=r"a, b, d is not that .* are a, b, c"):
        identity_for(config, ME)
