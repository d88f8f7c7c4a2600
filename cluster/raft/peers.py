"""What this replica knows of the others: their hellos, and when each was last heard."""

from collections.abc import Callable
from dataclasses import dataclass

from cluster.identity import Identity
from cluster.raft.hello import Hello, decode, refusal
from cluster.status import MemberStatus

LIVE_S = 2.0
"""A peer heard within this time lives; a second process under its id is then refused.
"""


@dataclass(slots=True)
class Peer:
    """One other member."""

    hello: Hello | None = None
    is_connected: bool = False
    heard_s: float | None = None
    applied_index: int | None = None
    schema: int = 0
    refused_us: str = ""
    """Why it refused our last hello; empty once it accepted one."""


class Peers:
    """All other members by id.

    Invariant: ``hello`` is that of the peer's present life; frames of another
    incarnation are not its own any more.
    """

    def __init__(
        self,
        ids: tuple[str, ...],
        *,
        now_s: Callable[[], float],
        new_life: Callable[[str], None],
        report: Callable[[str, dict[str, object]], None],
    ) -> None:
        self._peers = {peer: Peer() for peer in ids}
        self._now_s = now_s
        self._new_life = new_life
        self._report = report
        self.refused = 0
        """Hellos refused, for the metrics."""
        self.stale_frames = 0
        """Frames of a former life of a peer, dropped, for the metrics."""

    def __getitem__(self, peer: str) -> Peer:
        """Return what is known of ``peer``."""
        return self._peers[peer]

    def judge(
        self, me: Identity, min_schema: int, peer: str, data: bytes
    ) -> str | None:
        """Remember a peer's hello, or return the code of why it is refused."""
        hello = decode(data)
        reason = refusal(me, min_schema, peer, hello)
        known = self._peers.get(peer)
        if reason is None and known is None:
            reason = "not_a_member"
        if reason is not None or hello is None or known is None:
            self.refused += 1
            self._report("refused a peer", {"peer": peer, "reason": reason})
            return reason or "bad_hello"
        former = known.hello
        if former is not None and former.incarnation != hello.incarnation:
            if known.is_connected and self._is_live(known):
                self.refused += 1
                fields: dict[str, object] = {"peer": peer, "reason": "duplicate_id"}
                self._report("refused a peer", fields)
                return "duplicate_id"
            known.applied_index = None
            self._new_life(peer)
        known.hello = hello
        known.schema = hello.schema
        known.refused_us = ""
        return None

    def _is_live(self, peer: Peer) -> bool:
        return peer.heard_s is not None and self._now_s() - peer.heard_s < LIVE_S

    def refused_by(self, peer: str, reason: str) -> None:
        """A peer did not accept our hello."""
        known = self._peers[peer]
        if known.refused_us != reason:
            self._report("refused by a peer", {"peer": peer, "reason": reason})
        known.refused_us = reason

    def heard(self, peer: str, incarnation: bytes) -> bool:
        """Note a frame of ``peer``; False if it comes from a former life and must not
        count.
        """
        known = self._peers[peer]
        if known.hello is None or known.hello.incarnation != incarnation:
            self.stale_frames += 1
            return False
        known.heard_s = self._now_s()
        return True

    def connected(self) -> frozenset[str]:
        """Ids of the peers to which frames can be sent."""
        return frozenset(
            name for name, peer in self._peers.items() if peer.is_connected
        )

    def refusals(self) -> dict[str, str]:
        """Why peers refuse us, by id."""
        return {n: p.refused_us for n, p in self._peers.items() if p.refused_us}

    def all_understand(self, schema: int) -> bool:
        """Whether every member has said that it understands ``schema``."""
        return all(peer.schema >= schema for peer in self._peers.values())

    def status(self) -> list[MemberStatus]:
        """Describe every peer."""
        now = self._now_s()
        return [
            MemberStatus(
                node_id=name,
                advertise=peer.hello.advertise if peer.hello else "",
                connected=peer.is_connected,
                applied_index=peer.applied_index,
                contact_age_s=None if peer.heard_s is None else now - peer.heard_s,
            )
            for name, peer in sorted(self._peers.items())
        ]
