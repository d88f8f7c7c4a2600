"""What an outgoing and an incoming connection share: handshake, deadlines, one end.

    made --messages--> established --frames--> ended
      \\-- late, garbage, refused --------------^

An asyncio Protocol: bytes go through no stream and no task. All of it runs on the loop.
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from typing import Protocol, cast

from cluster.links import wire
from cluster.links.framing import FrameReader, FrameTooLong, framed
from cluster.links.handshake import Established, Step
from cluster.links.reasons import HandshakeFailed, Reason
from cluster.links.settings import LinkLimits
from cluster.links.tally import Tally
from cluster.links.tls import peer_names


class Machine(Protocol):
    """An Initiator or a Responder."""

    def receive(self, message: bytes) -> Step:
        """Take the other side's next message. Raises HandshakeFailed."""


class Connection(asyncio.Protocol, ABC):
    """One TCP (or TLS) connection of a link.

    Invariant: after ``end`` nothing is delivered any more, though the transport may
    still flush a farewell; ``ended`` is done when the socket is released.
    """

    def __init__(self, *, limits: LinkLimits, tally: Tally, remote: str) -> None:
        self.remote = remote
        self.trouble = ""
        """Why the handshake failed; empty while it has not."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.established: Established | None = None
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._tally = tally
        self._reader = FrameReader(limits.hello_bytes + wire.OVERHEAD_BYTES)
        self._machine: Machine | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        # One deadline from here on: a TLS handshake counts as well.
        self._late_at_s = self._loop.time() + limits.handshake_s

    @abstractmethod
    def _begin(self, names: frozenset[str]) -> Machine:
        """Return the handshake, with the node ids of the peer's certificate."""

    @abstractmethod
    def _on_established(self, established: Established) -> None:
        """The handshake is over."""

    @abstractmethod
    def _on_frame(self, sealed: bytes) -> None:
        """A frame arrived after the handshake."""

    @abstractmethod
    def _on_refused(self, reason: str) -> None:
        """The authenticated peer refused our hello."""

    @abstractmethod
    def _on_lost(self) -> None:
        """The connection has ended, if it was established before."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, under its deadline."""
        # Not checked: uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        if self._closing:
            # Ended while it was still being set up.
            self._transport.abort()
            return
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._timer = self._loop.call_at(self._late_at_s, self._late)
        tls = transport.get_extra_info("ssl_object")
        names = frozenset() if tls is None else peer_names(tls.getpeercert(True))
        try:
            self._machine = self._begin(names)
        except HandshakeFailed as failed:
            self._fail(failed)

    def data_received(self, data: bytes) -> None:
        """Cut the bytes into messages and frames."""
        reader = self._reader
        if self._closing:
            return
        reader.feed(data)
        try:
            while not self._closing:
                frame = reader.next_frame()
                if frame is None:
                    break
                if self.established is not None:
                    self._on_frame(frame)
                else:
                    self._on_message(frame)
        except FrameTooLong as error:
            known = self.established is not None
            self.end(Reason.TOO_LONG if known else Reason.GARBAGE, str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        """Release what belongs to the connection, and say so once."""
        if not self._closing:
            detail = "" if exc is None else str(exc)
            if self.established is None:
                self._tally.reject(Reason.ENDED, self.remote, detail)
            elif self._reader.pending_bytes:
                self._tally.reject(Reason.TRUNCATED, self.remote, detail)
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        if self.established is not None:
            self._on_lost()
        if not self.ended.done():
            self.ended.set_result(None)

    def end(self, reason: Reason | None = None, detail: str = "") -> None:
        """End at once, unsent bytes dropped; counted and told if there is a reason.

        ``connection_lost`` follows in a later turn of the loop, never within this call.
        """
        if self._closing:
            return
        self._closing = True
        if reason is not None:
            self._tally.reject(reason, self.remote, detail)
        if self._transport is not None:
            self._transport.abort()

    def _stood_still(self, due_at_s: float) -> bool:
        """Whether a callback comes so late that our own loop must have been held up.

        Then the other side's time does not count: what it sent waits in the kernel,
        and some loops run timers before they read.
        """
        return self._loop.time() - due_at_s > self._limits.silence_s / 4

    def _on_message(self, message: bytes) -> None:
        assert self._machine is not None
        assert self._transport is not None
        try:
            step = self._machine.receive(message)
        except HandshakeFailed as failed:
            self._fail(failed)
            return
        if step.send:
            self._transport.write(framed(step.send))
        if step.established is not None:
            if self._timer is not None:
                self._timer.cancel()
            self.established = step.established
            self._reader.limit_bytes = (
                self._limits.frame_bytes + step.established.opener.overhead_bytes
            )
            self._tally.links_made += 1
            self._on_established(step.established)

    def _fail(self, failed: HandshakeFailed) -> None:
        assert self._transport is not None
        self._closing = True
        self.trouble = f"{failed.reason}: {failed.detail}".rstrip(": ")
        self._tally.reject(failed.reason, self.remote, failed.detail)
        if failed.peer_refusal is not None:
            self._on_refused(failed.peer_refusal)
        if failed.farewell:
            # Closed when it is flushed; the timer still ends a peer that reads nothing.
            self._transport.write(framed(failed.farewell))
            self._transport.close()
        else:
            self._transport.abort()

    def _late(self) -> None:
        if self._closing:
            # A farewell that is not taken.
            assert self._transport is not None
            self._transport.abort()
        else:
            self.end(Reason.LATE)
