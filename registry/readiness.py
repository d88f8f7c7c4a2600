"""What a replica may promise, judged from its view of the cluster: the table I10.

Pure: a ``ClusterView`` goes in, a judgement comes out.

    not caught up --(applied an entry of the leader's term)--> in contact
    in contact <--(leader silent / heard again)--> leader silent
    any --(stop asked)--> stopping            any --(disk error)--> disk failed
"""

from registry.errors import DiskFailed, NoLeader, NotCaughtUp, RegistryError, Stopping
from registry.ports import ClusterView

SILENT_AFTER_S = 1.0
"""A leader unheard for longer makes answers carry their age."""

DISK_FAILED = "disk_failed"
LEADER_SILENT = "leader_silent"
EVICTIONS_HELD = "evictions_held"
"""Told by the leader's keeper: many leases run out at once (correlated expiry)."""


def is_leader_silent(view: ClusterView) -> bool:
    """Whether the leader is unknown, or was last heard too long ago."""
    age_s = view.contact_age_s
    return view.leader is None or age_s is None or age_s > SILENT_AFTER_S


def answer_age_ms(view: ClusterView) -> int | None:
    """How old a local answer may be, once that is worth telling; else None."""
    age_s = view.contact_age_s
    if age_s is None or age_s <= SILENT_AFTER_S:
        return None
    return int(age_s * 1000)


def unready(view: ClusterView, *, leader_required: bool) -> RegistryError | None:
    """Return why this replica must get no traffic now, or None when it may.

    A silent leader alone is no reason (reads outlive the quorum), except for callers
    that ask for a replica which can write.
    """
    if view.stopping:
        return Stopping("this replica is shutting down")
    if DISK_FAILED in view.degraded:
        return DiskFailed("this replica's disk has failed; see its log")
    if not view.caught_up:
        return not_caught_up(view)
    if leader_required and is_leader_silent(view):
        return NoLeader(f"the leader was last heard {_age(view)}")
    return None


def not_caught_up(view: ClusterView) -> NotCaughtUp:
    """Return the refusal of a replica that may not answer yet, and what it awaits."""
    waiting_for = view.waiting_for or "the present leader's log"
    return NotCaughtUp(f"waiting for {waiting_for}")


def degraded(view: ClusterView) -> list[str]:
    """Stable codes of what is wrong now, a silent leader included."""
    codes = list(view.degraded)
    if view.caught_up and is_leader_silent(view) and LEADER_SILENT not in codes:
        codes.append(LEADER_SILENT)
    return codes


def _age(view: ClusterView) -> str:
    if view.contact_age_s is None:
        return "never"
    return f"{view.contact_age_s:.1f} s ago"
