"""The table I10 as a judgement of one view."""

from dataclasses import replace

import pytest

from registry.errors import DiskFailed, NoLeader, NotCaughtUp, RegistryError, Stopping
from registry.ports import ClusterView
from registry.readiness import degraded, unready
from tests.support.fake_consensus import LEADING

STARTING = replace(LEADING, caught_up=False, leader=None, contact_age_s=None)
SILENT = replace(LEADING, contact_age_s=2.0)
STOPPING = replace(LEADING, stopping=True)
DISK_GONE = replace(LEADING, degraded=("disk_failed",))


@pytest.mark.parametrize(
    ("view", "reason", "reason_for_writes"),
    [
        (LEADING, None, None),
        (STARTING, NotCaughtUp, NotCaughtUp),
        (SILENT, None, NoLeader),
        (STOPPING, Stopping, Stopping),
        (DISK_GONE, DiskFailed, DiskFailed),
    ],
)
def test_ready_follows_the_table(
    view: ClusterView,
    reason: type[RegistryError] | None,
    reason_for_writes: type[RegistryError] | None,
) -> None:
    """A silent leader alone never takes a replica out of the Service: reads go on."""
    for refusal, expected in (
        (unready(view, leader_required=False), reason),
        (unready(view, leader_required=True), reason_for_writes),
    ):
        assert (None if refusal is None else type(refusal)) is expected


def test_a_silent_leader_is_told_among_the_cluster_s_own_reasons() -> None:
    """Liveness stays healthy, so `degraded` is where an operator sees it."""
    view = replace(SILENT, degraded=("disk_low",))

    assert degraded(view) == ["disk_low", "leader_silent"]
    assert degraded(STARTING) == []
