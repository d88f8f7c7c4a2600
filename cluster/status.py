"""What a replica says of itself: immutable answers for people, probes and metrics."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What the replica is in its term, as seen by itself."""

    LEADER = "leader"
    FOLLOWER = "follower"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """What this replica knows of one member (itself included)."""

    node_id: str
    advertise: str
    """Its HTTP address as told in its hello; empty while unknown."""
    connected: bool
    applied_index: int | None
    """As of its last keep-alive (at most about a second old); None while unknown."""
    contact_age_s: float | None
    """Since its last frame; 0.0 for this replica itself, None if there was none yet."""


@dataclass(frozen=True, slots=True)
class Status:
    """One replica's view of the cluster at one moment."""

    node_id: str
    cluster_id: str
    epoch: int
    role: Role
    term: int
    leader: str | None
    applied_index: int
    commit_index: int
    last_index: int
    caught_up: bool
    """Has applied an entry of the leader's term since its start (I10); never goes back.
    """
    contact_age_s: float | None
    """Since the leader was last heard (0.0 on the leader); None before the first time.
    """
    stopping: bool
    waiting_for: str
    """Why it is not caught up, for people ("b, c to found the cluster"); empty
    otherwise.
    """
    degraded: tuple[str, ...]
    """Stable codes of what is wrong now: disk_low, duplicate_id, no_quorum, …"""
    members: tuple[MemberStatus, ...]
    recovered: bool = True
    """Whether the disk was read: before that even a stale answer would be invented."""


class Applied(msgspec.Struct, frozen=True, gc=False):
    """A command's place in the log, and what the state machine answered."""

    position: int
    outcome: bytes

    @property
    def index(self) -> int:
        """The log index of the entry that held the command."""
        return self.position >> 8
