"""What this replica knows of the others: their hellos, and when each was last heard."""

from collections.abc import Callable
from dataclasses import dataclass

from cluster.identity import Identity
from cluster.raft.hello import Hello, decode, refusal
from cluster.status import MemberStatus

TELL_EVERY_S = 60.0
MAX_TOLD = 1_000
"""Kinds of refusals that are told apart; ids come from outside."""
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
        self._told: dict[tuple[str, str, str], float] = {}
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
        known = self._peers.get(peer)
        reason = refusal(me, min_schema, peer, hello)
        if reason is None and known is None:
            reason = "not_a_member"
        if reason is None and hello is not None and known is not None:
            reason = self._admit(peer, known, hello)
        if reason is not None:
            self.refused += 1
            self._tell("refused a peer", peer, reason)
        return reason

    def _admit(self, peer: str, known: Peer, hello: Hello) -> str | None:
        former = known.hello
        if former is not None and former.incarnation != hello.incarnation:
            if known.is_connected and self._is_live(known):
                return "duplicate_id"
            known.applied_index = None
            self._new_life(peer)
        known.hello = hello
        known.schema = hello.schema
        return None

    def _tell(self, event: str, peer: str, reason: str) -> None:
        """Report a refusal, but the same one at most once in TELL_EVERY_S."""
        now_s = self._now_s()
        key = (event, peer, reason)
        if now_s >= self._told.get(key, 0.0) and len(self._told) < MAX_TOLD:
            self._told[key] = now_s + TELL_EVERY_S
            self._report(event, {"peer": peer, "reason": reason})

    def _is_live(self, peer: Peer) -> bool:
        return peer.heard_s is not None and self._now_s() - peer.heard_s < LIVE_S

    def refused_by(self, peer: str, reason: str) -> None:
        """A peer did not accept our hello."""
        self._peers[peer].refused_us = reason
        self._tell("refused by a peer", peer, reason)

    def let_in(self, peer: str) -> None:
        """The peer accepted us: frames can be sent to it."""
        known = self._peers[peer]
        known.is_connected = True
        known.refused_us = ""

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
        """Whether every member is here and says that it understands ``schema``."""
        peers = self._peers.values()
        return all(peer.is_connected and peer.schema >= schema for peer in peers)

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
