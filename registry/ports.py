"""What the use cases need of their surroundings; `registry/node.py` plugs the cluster
in.
"""

from dataclasses import dataclass
from typing import Protocol

import msgspec


class Committed(msgspec.Struct, frozen=True, gc=False):
    """A command that took effect: its position, and the catalog's outcome."""

    position: int
    outcome: bytes

    @property
    def index(self) -> int:
        """The log index of the entry that held the command."""
        return self.position >> 8


@dataclass(frozen=True, slots=True)
class MemberView:
    """What this replica knows of one member of the cluster (itself included)."""

    node_id: str
    advertise: str
    """Its HTTP address; empty while unknown."""
    connected: bool
    applied_index: int | None
    contact_age_s: float | None


@dataclass(frozen=True, slots=True)
class ClusterView:
    """One replica's view of the cluster at one moment."""

    node_id: str
    cluster_id: str
    epoch: int
    role: str
    """``leader`` or ``follower``."""
    term: int
    leader: str | None
    applied_index: int
    commit_index: int
    last_index: int
    caught_up: bool
    contact_age_s: float | None
    """Since the leader was last heard; 0.0 on the leader, None before the first time.
    """
    stopping: bool
    waiting_for: str
    degraded: tuple[str, ...]
    members: tuple[MemberView, ...]
    recovered: bool = True
    """Whether the disk was read: before that even a stale answer would be invented."""


class Consensus(Protocol):
    """One replicated log, as the use cases see it. Deadlines are in ``Clock.now_s``
    time.
    """

    async def propose(
        self, command: bytes, *, deadline_s: float, schema: int = 1
    ) -> Committed:
        """Replicate one encoded command; return when this replica has applied it.

        It waits until all members understand its ``schema``. Cancelled, it takes along
        a command that was not proposed yet; one that was may take effect.

        Raises a leaf of registry.errors: NotReplicated (refused, safe to retry) or
        OutcomeUnknown.
        """

    async def barrier(self, *, deadline_s: float) -> int:
        """Return once every write acknowledged before this call is applied here.

        Returns the index. Raises like ``propose``.
        """

    async def wait_applied(self, index: int, *, deadline_s: float) -> bool:
        """Return True once ``index`` is applied here; False at the deadline."""

    def view(self) -> ClusterView:
        """Return the cluster as this replica sees it now. Cheap enough for each
        request.
        """


class Clock(Protocol):
    """Time, as an argument of everything that needs it."""

    def now_s(self) -> float:
        """Monotonic seconds; deadlines are in this time (the event loop's)."""

    def wall_ms(self) -> int:
        """Milliseconds since the epoch, UTC; for people only, nothing decides by it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One probe to be made: everything is resolved, nothing is looked up elsewhere."""

    kind: str
    host: str
    port: int
    path: str
    """http: a path that begins with a slash, or a URL; grpc: a service name."""
    timeout_s: float
    expected_status: int = 0
    """http: 0 takes any 2xx."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one probe came to; ``cause`` is short, for people, and never empty."""

    passed: bool
    cause: str
    is_unreachable: bool = False
    """Refused or without a route: told at once, so worth asking again soon."""
    is_ours: bool = False
    """It says nothing of the target: something of the registry failed."""


class Prober(Protocol):
    """Makes probes of every kind."""

    async def probe(self, target: Target) -> ProbeResult:
        """Probe once. Ends within the target's time-out, and never raises."""


class DutyObserver(Protocol):
    """Hears what the leader's duties came to, and the answers. Never blocks."""

    def observe_check(self, *, kind: str, passed: bool, latency_s: float) -> None:
        """One probe was made by the leader's scheduler."""

    def observe_evictions(self, cause: str, count: int) -> None:
        """Leases were ended: ``lease_expired``, or ``deregister_after``."""

    def observe_hold(self) -> None:
        """The keeper began to hold evictions back (correlated expiry)."""

    def observe_opinion(self, result: str) -> None:
        """``given`` (we answered), ``agreed`` or ``disagreed`` (we had asked)."""

    def observe_revivals(self, count: int) -> None:
        """Heartbeats through this replica brought expired registrations back."""
