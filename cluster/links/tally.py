"""What the links count, and the one place through which every rejection goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cluster.links.reasons import Reason

DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class LinkStats:
    """Counts since the start; the first three are the state now."""

    outgoing_up: int
    incoming_up: int
    unauthenticated: int
    dials: int
    dials_failed: int
    links_made: int
    accepts_failed: int
    """Times that the system gave no connection (too few descriptors)."""
    frames_out: int
    bytes_out: int
    frames_in: int
    bytes_in: int
    refused: Mapping[str, int]
    """Connections turned away or ended, by reason (`cluster.links.reasons`)."""


class Tally:
    """The counters, as links change them.

    ``on_rejected(reason, remote)`` hears of each connection that we turn away or end:
    the reason begins with its label (a `Reason`), then a colon and a detail for people.
    """

    def __init__(self, on_rejected: Callable[[str, str], None]) -> None:
        self._on_rejected = on_rejected
        self._refused: dict[str, int] = {}
        self.dials = 0
        self.dials_failed = 0
        self.links_made = 0
        self.accepts_failed = 0
        self.frames_out = 0
        self.bytes_out = 0
        self.frames_in = 0
        self.bytes_in = 0

    def reject(self, reason: Reason, remote: str, detail: str = "") -> None:
        """Count a rejection and tell the owner."""
        self._refused[reason] = self._refused.get(reason, 0) + 1
        text = f"{reason}: {detail[:DETAIL_CHARACTERS]}" if detail else str(reason)
        self._on_rejected(text, remote)

    def stats(
        self, *, outgoing_up: int, incoming_up: int, unauthenticated: int
    ) -> LinkStats:
        """Return an immutable copy."""
        return LinkStats(
            outgoing_up=outgoing_up,
            incoming_up=incoming_up,
            unauthenticated=unauthenticated,
            dials=self.dials,
            dials_failed=self.dials_failed,
            links_made=self.links_made,
            accepts_failed=self.accepts_failed,
            frames_out=self.frames_out,
            bytes_out=self.bytes_out,
            frames_in=self.frames_in,
            bytes_in=self.bytes_in,
            refused=MappingProxyType(dict(self._refused)),
        )
