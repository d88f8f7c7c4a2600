"""The links of one replica over TCP: `cluster.ports.Links`.

Each replica dials each peer and sends only on what it dialled; what it accepts it only
hears. So a peer has two connections with us, independent of each other: frames may
still arrive after ``on_disconnected``, and before ``on_connected``. A frame that was
sent may be lost when a connection breaks, never repeated or overtaken by a later one on
the same connection. When a peer connects again, its former connection is ended first,
and no frame of it is delivered afterwards.

Everything runs on the event loop.
"""

import asyncio
import ssl
from collections.abc import Callable
from random import Random

from cluster.links.backoff import Backoff
from cluster.links.dialer import Dialer
from cluster.links.handshake import Party
from cluster.links.incoming import IncomingLink
from cluster.links.listener import Listener, bind
from cluster.links.outgoing import OutgoingLink
from cluster.links.settings import LinkConfig, Tls
from cluster.links.tally import LinkStats, Tally
from cluster.links.tls import client_context, server_context
from cluster.ports import LinkEvents

CLOSE_S = 1.0


class TcpLinks:
    """One replica's port, its dialled and its accepted connections.

    Invariant: per peer at most one established connection in each direction. After
    ``close`` begins, no event is reported any more.
    """

    def __init__(
        self,
        config: LinkConfig,
        *,
        random: Random,
        fatal: Callable[[str], None],
        on_rejected: Callable[[str, str], None],
        on_trouble: Callable[[str, str], None] = lambda _peer, _text: None,
    ) -> None:
        """Read the certificates, if any. Raises ConfigError.

        ``random`` is for the jitter of back-off alone; ``fatal`` hears of a defect in
        here that would leave a peer undialled; ``on_rejected(reason, remote)`` as in
        `Tally`; ``on_trouble(peer, text)`` of why a peer cannot be reached, on change.
        """
        self._config = config
        self._random = random
        self._fatal = fatal
        self._tally = Tally(on_rejected)
        self._on_trouble = on_trouble
        self._accepting: ssl.SSLContext | None = None
        self._dialling: ssl.SSLContext | None = None
        if isinstance(config.security, Tls):
            self._accepting = server_context(config.security, config.node_id)
            self._dialling = client_context(config.security, config.node_id)
        self._events: LinkEvents | None = None
        self._listener: Listener | None = None
        self._dials: list[asyncio.Task[None]] = []
        self._dialers: dict[str, Dialer] = {}
        self._outgoing: dict[str, OutgoingLink] = {}
        self._incoming: dict[str, IncomingLink] = {}
        self._closing = False
        self.port = config.bind[1]
        """The port bound; known after ``start`` if 0 was asked for."""

    async def start(self, events: LinkEvents) -> None:
        """Bind the Raft port, then dial the peers. Raises StartRefused."""
        config = self._config
        sockets = await bind(config.bind)
        self.port = sockets[0].getsockname()[1]
        self._events = events
        party = Party(config.node_id, config.security, self._hello, events.on_hello)
        self._listener = Listener(
            sockets,
            make=lambda remote: self._accepted(party, events, remote),
            context=self._accepting,
            limits=config.limits,
            tally=self._tally,
        )
        for peer in config.peers:
            dialer = self._dialers[peer] = self._dialer(party, events, peer)
            task = asyncio.create_task(dialer.run())
            task.add_done_callback(self._dial_ended)
            self._dials.append(task)

    def send(self, peer: str, frame: bytes) -> bool:
        """Queue a frame; False without a link, or if its buffer is full (that ends it).

        Raises ValueError for a frame that no receiver would take.
        """
        if len(frame) > self._config.limits.frame_bytes:
            raise ValueError(f"a frame of {len(frame)} bytes is too long")
        link = self._outgoing.get(peer)
        return link is not None and link.send(frame)

    def drop(self, peer: str) -> None:
        """End both connections with ``peer``; ours is dialled again with back-off.

        ``on_disconnected`` follows in a later turn of the loop; no frame follows.
        """
        for link in (self._outgoing.get(peer), self._incoming.get(peer)):
            if link is not None:
                link.end()

    async def close(self) -> None:
        """End all connections and release the port. A second call has no effect."""
        self._closing = True
        if self._listener is not None:
            await self._listener.close()
        for task in self._dials:
            task.cancel()
        await asyncio.gather(*self._dials, return_exceptions=True)
        links = (*self._outgoing.values(), *self._incoming.values())
        for link in links:
            link.end()
        if links:
            await asyncio.wait([link.ended for link in links], timeout=CLOSE_S)

    def stats(self) -> LinkStats:
        """Return the counters as they are now."""
        listener = self._listener
        return self._tally.stats(
            outgoing_up=len(self._outgoing),
            incoming_up=len(self._incoming),
            unauthenticated=0 if listener is None else len(listener.strangers),
        )

    def troubles(self) -> dict[str, str]:
        """Return, by peer, why it cannot be reached now."""
        return {peer: d.trouble for peer, d in self._dialers.items() if d.trouble}

    def _hello(self) -> bytes:
        assert self._events is not None
        hello = self._events.hello()
        if len(hello) > self._config.limits.hello_bytes:
            raise ValueError(f"a hello of {len(hello)} bytes is too long")
        return hello

    def _dialer(self, party: Party, events: LinkEvents, peer: str) -> Dialer:
        limits = self._config.limits

        def make(remote: str) -> OutgoingLink:
            return OutgoingLink(
                party,
                peer,
                limits=limits,
                tally=self._tally,
                remote=remote,
                on_up=self._outgoing_up,
                on_down=self._outgoing_down,
                on_refused=events.on_refused,
            )

        return Dialer(
            peer,
            self._config.peers,
            make=make,
            context=self._dialling,
            limits=limits,
            tally=self._tally,
            backoff=Backoff(
                self._random, min_s=limits.retry_min_s, max_s=limits.retry_max_s
            ),
            on_trouble=self._on_trouble,
        )

    def _accepted(self, party: Party, events: LinkEvents, remote: str) -> IncomingLink:
        return IncomingLink(
            party,
            self._config.peers,
            limits=self._config.limits,
            tally=self._tally,
            remote=remote,
            on_up=self._incoming_up,
            on_down=self._incoming_down,
            on_refused=events.on_refused,
            on_frame=events.on_frame,
        )

    def _dial_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._fatal(f"the task that dials a peer ended: {task.exception()!r}")

    def _outgoing_up(self, link: OutgoingLink) -> None:
        assert self._events is not None
        self._outgoing[link.peer] = link
        self._dialers[link.peer].reached()
        self._events.on_connected(link.peer)

    def _outgoing_down(self, link: OutgoingLink) -> None:
        assert self._events is not None
        if self._outgoing.get(link.peer) is link:
            del self._outgoing[link.peer]
            if not self._closing:
                self._events.on_disconnected(link.peer)

    def _incoming_up(self, link: IncomingLink) -> None:
        assert self._listener is not None
        self._listener.admit(link)
        former = self._incoming.get(link.peer)
        if former is not None:
            former.end()
        self._incoming[link.peer] = link
        if link.peer not in self._outgoing:
            self._dialers[link.peer].hurry()

    def _incoming_down(self, link: IncomingLink) -> None:
        if self._incoming.get(link.peer) is link:
            del self._incoming[link.peer]
