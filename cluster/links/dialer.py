"""Keeps one outgoing connection to one peer: resolve, connect, handshake, again."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping

from cluster.links.addresses import Resolved, Resolver
from cluster.links.backoff import Backoff
from cluster.links.outgoing import OutgoingLink
from cluster.links.reasons import Reason
from cluster.links.settings import Address, LinkLimits
from cluster.links.tally import Tally


class Dialer:
    """One peer's connection, made again with back-off whenever it ends.

    ``make(remote)`` returns the protocol of a new connection. ``peers`` is looked at
    for each attempt: a peer that moved is found where its name now leads.
    """

    def __init__(
        self,
        peer: str,
        peers: Mapping[str, Address],
        *,
        make: Callable[[str], OutgoingLink],
        context: ssl.SSLContext | None,
        limits: LinkLimits,
        tally: Tally,
        backoff: Backoff,
        on_trouble: Callable[[str, str], None],
    ) -> None:
        self._peer = peer
        self._peers = peers
        self._make = make
        self._context = context
        self._limits = limits
        self._tally = tally
        self._backoff = backoff
        self._resolver = Resolver(limits.resolve_s)
        self._hurried = asyncio.Event()
        self._on_trouble = on_trouble
        self.trouble = ""
        """Why the peer cannot be reached now, for people; empty when it can."""

    async def run(self) -> None:
        """Dial until cancelled; then the connection at hand is ended."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                link = await self._connect()
                if link is not None:
                    made_at_s = loop.time()
                    await self._live(link)
                    if link.established is None:
                        self._note(_explained(link.trouble))
                    if (
                        link.established is not None
                        and loop.time() - made_at_s >= self._limits.lasted_s
                    ):
                        self._backoff.reset()
                await self._pause()
        finally:
            self._resolver.close()

    def reached(self) -> None:
        """The peer has accepted us."""
        self.trouble = ""

    def _note(self, trouble: str) -> None:
        host, port = self._peers[self._peer]
        text = f"{host}:{port}: {trouble}"
        if text != self.trouble:
            self.trouble = text
            self._on_trouble(self._peer, text)

    def hurry(self) -> None:
        """Dial now: the peer has just reached us, so it is there."""
        self._hurried.set()

    async def _pause(self) -> None:
        self._hurried.clear()
        try:
            async with asyncio.timeout(self._backoff.next_s()):
                await self._hurried.wait()
        except TimeoutError:
            return
        self._backoff.reset()

    async def _live(self, link: OutgoingLink) -> None:
        try:
            await asyncio.shield(link.ended)
        except asyncio.CancelledError:
            link.end()
            raise

    async def _connect(self) -> OutgoingLink | None:
        """Return a connection in its handshake; None if no address takes one."""
        self._tally.dials += 1
        try:
            addresses = await self._resolver.resolve(self._peers[self._peer])
        except (OSError, TimeoutError, UnicodeError):
            # The name is unknown at this moment; the next attempt asks again.
            self._note("the name is not known")
            addresses = []
        for address in addresses:
            try:
                return await self._connect_to(address)
            except ssl.SSLError as error:
                remote = f"{self._peer} at {address}"
                self._tally.reject(Reason.TLS_FAILED, remote, str(error))
            except TimeoutError:
                self._note("no answer")
            except OSError as error:
                self._note((error.strerror or str(error)).lower())
        self._tally.dials_failed += 1
        return None

    async def _connect_to(self, address: Resolved) -> OutgoingLink:
        loop = asyncio.get_running_loop()
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            async with asyncio.timeout(self._limits.connect_s):
                await loop.sock_connect(sock, address.sockaddr)
            link = self._make(f"{self._peer} at {address}")
            # Without a name for SNI: certificates are chosen and judged by node id.
            tls = self._context is not None
            async with asyncio.timeout(self._limits.handshake_s):
                await loop.create_connection(
                    lambda: link,
                    sock=sock,
                    ssl=self._context,
                    server_hostname="" if tls else None,
                )
        except BaseException:
            sock.close()
            raise
        return link


_EXPLAINED = {
    Reason.UNKNOWN_KEY: "it does not know our key",
    Reason.OTHER_SECURITY: "one of us uses a key or TLS and the other does not",
    Reason.OTHER_VERSION: "it speaks another version of the handshake",
    Reason.UNKNOWN_NODE: "it does not have us in its peer list",
    Reason.OTHER_NODE: "another node listens there",
}


def _explained(trouble: str) -> str:
    """Return why a handshake failed in words for people."""
    for reason, text in _EXPLAINED.items():
        if reason in trouble:
            return text
    return trouble or "it closed the connection during the handshake"
