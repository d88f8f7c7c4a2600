"""Real links between replicas on loopback, and what their owners heard."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from random import Random

from cluster.links.settings import (
    Address,
    LinkConfig,
    LinkLimits,
    NoSecurity,
    Security,
)
from cluster.links.tcp import TcpLinks

DEADLINE_S = 8.0
NOWHERE: Address = ("127.0.0.1", 1)
LIMITS = LinkLimits(retry_min_s=0.01, retry_max_s=0.05)


async def until(condition: Callable[[], bool]) -> None:
    """Return once it holds; fails the test after a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.002)


class Replica:
    """One replica's links and, as their owner, a record of all events."""

    def __init__(
        self,
        node_id: str,
        peers: dict[str, Address],
        security: Security,
        limits: LinkLimits,
        bind: Address = ("127.0.0.1", 0),
    ) -> None:
        self.node_id = node_id
        self.peers = peers
        self.refusal: str | None = None
        self.connected: set[str] = set()
        self.breaks = 0
        self.frames: list[tuple[str, bytes]] = []
        self.refusals: list[tuple[str, str]] = []
        self.rejected: list[str] = []
        self.failures: list[str] = []
        self.links = TcpLinks(
            LinkConfig(node_id, peers, bind, security, limits),
            random=Random(node_id),
            fatal=self.failures.append,
            on_rejected=lambda reason, _remote: self.rejected.append(reason),
        )

    def hello(self) -> bytes:
        """Say who we are."""
        return self.node_id.encode()

    def on_hello(self, peer: str, hello: bytes) -> str | None:
        """Accept unless the test wants a refusal."""
        assert hello == peer.encode()
        return self.refusal

    def on_refused(self, peer: str, reason: str) -> None:
        """Record it."""
        self.refusals.append((peer, reason))

    def on_connected(self, peer: str) -> None:
        """Record it."""
        assert peer not in self.connected
        self.connected.add(peer)

    def on_disconnected(self, peer: str) -> None:
        """Record it."""
        self.connected.remove(peer)
        self.breaks += 1

    def on_frame(self, peer: str, frame: bytes) -> None:
        """Record it; one content stands for what no honest peer sends."""
        if frame == b"dishonest":
            raise ValueError("nobody sends this")
        self.frames.append((peer, frame))

    def refused(self, reason: str) -> int:
        """Return how many connections were refused for the reason."""
        return self.links.stats().refused.get(reason, 0)


@contextlib.asynccontextmanager
async def replicas(
    ids: str = "ab",
    security: Mapping[str, Security] | None = None,
    limits: LinkLimits = LIMITS,
) -> AsyncIterator[list[Replica]]:
    """Start one replica per letter; they know each other once all ports are bound."""
    addresses: dict[str, dict[str, Address]] = {
        one: {other: NOWHERE for other in ids if other != one} for one in ids
    }
    made = [
        Replica(one, addresses[one], (security or {}).get(one, NoSecurity()), limits)
        for one in ids
    ]
    try:
        for replica in made:
            await replica.links.start(replica)
        for replica in made:
            for peers in addresses.values():
                if replica.node_id in peers:
                    peers[replica.node_id] = ("127.0.0.1", replica.links.port)
        yield made
    finally:
        for replica in made:
            await replica.links.close()
    assert [replica.failures for replica in made] == [[] for _ in made]


async def meshed(made: list[Replica]) -> None:
    """Return once every replica can send to every other."""
    for replica in made:
        await until(lambda it=replica: len(it.connected) == len(made) - 1)  # type: ignore[misc]
