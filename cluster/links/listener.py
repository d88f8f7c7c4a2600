"""The Raft port: binds it, accepts on it, and bounds how many strangers are inside.

Not asyncio's server: that one hands a TLS connection over only when its handshake is
done, so nothing could bound those under way, and it stops accepting for a second (or,
elsewhere, for good) when descriptors run out.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from functools import partial

from cluster.errors import StartRefused
from cluster.links.addresses import MAX_ADDRESSES, Resolved, literal
from cluster.links.incoming import IncomingLink
from cluster.links.reasons import Reason
from cluster.links.settings import Address, LinkLimits
from cluster.links.tally import Tally

BACKLOG = 128
ACCEPTS_PER_TURN = 64
"""So that a flood of connections does not hold the loop."""
ACCEPT_RETRY_S = 0.1
RESOLVE_S = 5.0
NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


async def bind(address: Address) -> list[socket.socket]:
    """Return listening sockets for each address of the host (an empty one: all).

    Raises StartRefused.
    """
    host, port = address
    where = f"the Raft port {host or '*'}:{port}"
    try:
        resolved = await _resolve(host, port)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise StartRefused(f"cannot bind {where}: {error}") from error
    sockets: list[socket.socket] = []
    failures: list[OSError] = []
    without_ipv6: list[OSError] = []
    for one in resolved:
        try:
            sockets.append(_listen(one))
        except OSError as error:
            absent = one.family == socket.AF_INET6 and error.errno in NO_IPV6
            (without_ipv6 if absent else failures).append(error)
    if not failures and sockets:
        # A host without IPv6 may still list its wildcard; IPv4 is enough then.
        return sockets
    for sock in sockets:
        sock.close()
    why = [error.strerror for error in failures + without_ipv6] or ["no address"]
    raise StartRefused(
        f"cannot bind {where}: {why[0]}; is another replica running there, or is it "
        "not an address of this machine?"
    )


async def _resolve(host: str, port: int) -> list[Resolved]:
    known = literal(host, port)
    if known is not None:
        return [known]
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_S):
        found = await loop.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    unique = dict.fromkeys(Resolved(family, addr) for family, *_, addr in found)
    return list(unique)[:MAX_ADDRESSES]


def _listen(address: Resolved) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address.sockaddr)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


class Listener:
    """Accepts connections and holds those that have not proved who they are.

    Invariant: ``strangers`` never exceeds its bound; one more is closed at once.
    ``make(remote)`` returns the protocol of a new connection; whoever finishes its
    handshake is taken out with ``admit``.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        *,
        make: Callable[[str], IncomingLink],
        context: ssl.SSLContext | None,
        limits: LinkLimits,
        tally: Tally,
    ) -> None:
        self.strangers: set[IncomingLink] = set()
        self._sockets = sockets
        self._make = make
        self._context = context
        self._limits = limits
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._retries: set[asyncio.TimerHandle] = set()
        for sock in sockets:
            self._loop.add_reader(sock, self._accept, sock)

    def admit(self, link: IncomingLink) -> None:
        """Forget a connection: it is no stranger any more, or no connection."""
        self.strangers.discard(link)

    async def close(self) -> None:
        """Release the port and end all strangers. A second call has no effect."""
        for handle in self._retries:
            handle.cancel()
        while self._sockets:
            sock = self._sockets.pop()
            self._loop.remove_reader(sock)
            sock.close()
        for link in tuple(self.strangers):
            link.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget(self, link: IncomingLink, _ended: asyncio.Future[None]) -> None:
        self.admit(link)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            try:
                sock, addr = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # Out of descriptors or memory. The socket stays readable: without a
                # pause this would spin. Links that are up are not touched.
                self._tally.accepts_failed += 1
                self._pause(listening)
                return
            remote = f"{addr[0]}:{addr[1]}"
            if len(self.strangers) >= self._limits.unauthenticated:
                sock.close()
                self._tally.reject(Reason.FULL, remote)
                continue
            link = self._make(remote)
            self.strangers.add(link)
            link.ended.add_done_callback(partial(self._forget, link))
            task = self._loop.create_task(self._serve(sock, link))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _pause(self, listening: socket.socket) -> None:
        self._loop.remove_reader(listening)

        def resume() -> None:
            self._retries.discard(handle)
            self._loop.add_reader(listening, self._accept, listening)

        handle = self._loop.call_later(ACCEPT_RETRY_S, resume)
        self._retries.add(handle)

    async def _serve(self, sock: socket.socket, link: IncomingLink) -> None:
        """Hand the socket to its protocol, and with TLS see the handshake through."""
        try:
            sock.setblocking(False)
            async with asyncio.timeout(self._limits.handshake_s):
                await self._loop.connect_accepted_socket(
                    lambda: link, sock, ssl=self._context
                )
        except BaseException as error:
            self.strangers.discard(link)
            sock.close()
            if isinstance(error, ssl.SSLError):
                self._tally.reject(Reason.TLS_FAILED, link.remote, str(error))
            elif isinstance(error, TimeoutError):
                self._tally.reject(Reason.LATE, link.remote)
            elif isinstance(error, OSError):
                self._tally.reject(Reason.ENDED, link.remote, str(error))
            else:
                raise
