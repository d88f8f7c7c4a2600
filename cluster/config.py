"""Settings of one replica, as numbers and ids; where they come from is the caller's
business.
"""

from dataclasses import dataclass, field

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Timing:
    """Raft's times, measured good for one data centre; double them in noisy places.

    Invariant: ``election_min_s`` > 3 * ``append_period_s`` (PySyncObj demands it).
    """

    append_period_s: float = 0.05
    election_min_s: float = 0.3
    election_max_s: float = 0.6
    leader_fallback_s: float = 0.5
    """A leader without answers from a majority for this long steps down."""
    tick_s: float = 0.01
    keep_alive_s: float = 1.0
    attempt_s: float = 1.0
    """A proposal without answer is proposed again (under its number) after this long.
    """


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, each with the answer when it is reached (see cluster/errors.py)."""

    entry_commands: int = 128
    """An entry is applied whole: this many take 1 to 2 ms. At most 256: see
    POSITIONS_PER_INDEX.
    """
    entry_bytes: int = 256 * KIB
    command_bytes: int = 128 * KIB
    """A larger command is refused with TooLarge."""
    waiting_commands: int = 16_384
    waiting_bytes: int = 64 * MIB
    """More waiting proposals are refused with Overloaded."""
    segment_bytes: int = 16 * MIB
    snapshot_log_min_bytes: int = 8 * MIB
    """No snapshot is made before this much log was written since the last one."""
    snapshot_log_max_bytes: int = 64 * MIB
    """A snapshot is made when this much log was written since the last one; earlier,
    when it is SNAPSHOT_RATIO times the last one's size.
    """
    trailing_entries: int = 1_000
    """Entries kept behind a snapshot, so that a follower a little behind needs no
    snapshot.
    """
    disk_low_bytes: int = 64 * MIB
    """With less free disk, writes are refused with DiskLow and leadership is handed
    over.
    """
    reserve_bytes: int = 64 * MIB
    """Held back for a snapshot, which frees log, when the disk is full."""
    snapshot_piece_bytes: int = 256 * KIB


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """One replica's place: its id, and the ids of all members (itself included)."""

    node_id: str
    members: tuple[str, ...]
    advertise: str = ""
    """Where clients reach this replica, told to the others in the hello."""
    schema: int = 1
    """The newest command schema that this replica's state machine understands."""
    timing: Timing = field(default_factory=Timing)
    limits: Limits = field(default_factory=Limits)

    @property
    def peers(self) -> tuple[str, ...]:
        """The other members."""
        return tuple(m for m in self.members if m != self.node_id)
