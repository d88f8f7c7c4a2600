"""When a snapshot is due: the log in memory stays in proportion to the state."""

import pytest

from cluster.config import MIB, Limits
from cluster.raft.compaction import log_kept_bytes
from cluster.storage.snapshot_file import SnapshotMeta


@pytest.mark.parametrize(
    ("state_mib", "kept_mib"), [(0, 8), (1, 8), (8, 8), (20, 20), (64, 64), (900, 64)]
)
def test_the_log_may_be_as_long_as_the_state_within_bounds(
    state_mib: int, kept_mib: int
) -> None:
    """A small catalog that is written often must not hold 64 MiB of its past."""
    newest = SnapshotMeta(5, 1, "c", 1, ("a",), size_bytes=state_mib * MIB)

    assert log_kept_bytes(newest, Limits()) == kept_mib * MIB


def test_without_a_snapshot_the_least_log_is_kept() -> None:
    """A new cluster makes its first one soon."""
    assert log_kept_bytes(None, Limits()) == 8 * MIB
