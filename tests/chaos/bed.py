"""The language of faults: what a nemesis may do to a cluster, whatever it runs on.

A bed is a running cluster of real replicas. Each verb returns when the fault is there
(or is over), raises `BedFailed` when it could not be done, and may be called in any
state: `kill` of a killed replica does nothing. Replicas are named by their node ids.
Verbs block, and are called from one thread; `url` and `node_ids` may be used by any.
"""

from collections.abc import Collection
from typing import Protocol


class BedFailed(Exception):
    """The bed, not the registry, could not do what was asked."""


class Bed(Protocol):
    """Three or five replicas, and the verbs for what can befall them."""

    name: str
    """``processes`` or ``containers``."""
    node_ids: tuple[str, ...]
    verbs: frozenset[str]
    """Names of the methods of this class that this bed can do, here and now."""
    service_host: str
    """An address of this machine at which the replicas reach services under test."""

    def url(self, node_id: str) -> str:
        """Return where its HTTP answers; the same for as long as the bed lasts."""

    def leader(self) -> str | None:
        """Return whom those that answer agree on; None if they do not."""

    def wait_ready(self, *, deadline_s: float = 60.0) -> None:
        """Wait until all replicas run, are ready and agree on a leader."""

    # -- the process

    def kill(self, node_id: str) -> None:
        """SIGKILL, and gone when this returns."""

    def stop(self, node_id: str) -> None:
        """SIGTERM, and ended by itself when this returns."""

    def start(self, node_id: str) -> None:
        """Start what is down, on its data; returns at once."""

    def pause(self, node_id: str) -> None:
        """Not scheduled any more (SIGSTOP, or a frozen container)."""

    def resume(self, node_id: str) -> None:
        """Go on where it was."""

    def starve(self, node_id: str) -> None:
        """Give it a small part of a processor, until `feed`."""

    def feed(self, node_id: str) -> None:
        """Give it what it wants again."""

    # -- the links between replicas (clients reach all of them all the time)

    def partition(
        self,
        node_id: str,
        from_: Collection[str],
        *,
        inbound: bool = True,
        outbound: bool = True,
    ) -> None:
        """Lose what travels between it and those, silently; one way if asked.

        ``inbound``: what they send to it; ``outbound``: what it sends to them.
        """

    def slow_link(
        self, node_id: str, *, delay_ms: float, jitter_ms: float = 0, loss: float = 0
    ) -> None:
        """Delay what it sends to the others, and lose a part (0 to 1) of it."""

    def unplug(self, node_id: str) -> None:
        """Take its interface away: names do not resolve, addresses may change."""

    def heal(self) -> None:
        """Undo every `partition`, `slow_link` and `unplug`."""

    # -- the disk

    def power_cut(self, node_id: str) -> None:
        """Kill it, and forget all that it had not synced."""

    def slow_disk(self, node_id: str, *, sync_ms: float) -> None:
        """Let each sync take so long."""

    def break_disk(self, node_id: str) -> None:
        """Fail its next write or sync with EIO; it is expected to end."""

    def fill_disk(self, node_id: str) -> None:
        """Leave no room: ENOSPC; it is expected to refuse writes, or to end."""

    def mend_disk(self, node_id: str) -> None:
        """Undo `slow_disk`, `break_disk` and `fill_disk`."""

    def wipe(self, node_id: str) -> None:
        """Empty the data of a replica that is down."""

    # -- the clock

    def step_clock(self, node_id: str, *, seconds: float) -> None:
        """Set its wall clock off by so much from the true one."""
