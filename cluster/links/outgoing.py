"""The connection that we dialled: after the handshake only we send on it."""

import asyncio
import socket
from collections.abc import Callable

from cluster.links.connection import Connection, Machine
from cluster.links.framing import framed, prefix
from cluster.links.handshake import Established, Initiator, Party
from cluster.links.reasons import Reason
from cluster.links.settings import LinkLimits
from cluster.links.tally import Tally

LOOKS_PER_SILENCE = 4


class OutgoingLink(Connection):
    """Sends frames to one peer.

    The frames of one turn of the loop leave together. The peer's silence is normal
    here; what ends the link is a kernel that takes nothing (below us: nothing is
    acknowledged, TCP_USER_TIMEOUT) for ``silence_s``.
    """

    def __init__(
        self,
        party: Party,
        peer: str,
        *,
        limits: LinkLimits,
        tally: Tally,
        remote: str,
        on_up: Callable[["OutgoingLink"], None],
        on_down: Callable[["OutgoingLink"], None],
        on_refused: Callable[[str, str], None],
    ) -> None:
        super().__init__(limits=limits, tally=tally, remote=remote)
        self.peer = peer
        self._party = party
        self._on_up = on_up
        self._on_down = on_down
        self._tell_refused = on_refused
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._written_bytes = 0
        self._taken_bytes = 0
        self._taken_at_s = 0.0

    def send(self, frame: bytes) -> bool:
        """Queue a frame; False if the link has ended, as with a full buffer it does."""
        if self._closing or self.established is None or self._transport is None:
            return False
        waiting_bytes = self._unsent_bytes + self._transport.get_write_buffer_size()
        if waiting_bytes + len(frame) > self._limits.buffer_bytes:
            self.end(Reason.BUFFER_FULL, f"{waiting_bytes} bytes wait")
            return False
        sealed = self.established.sealer.seal(frame)
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent += (prefix(len(sealed)), sealed)
        self._unsent_bytes += len(sealed)
        self._tally.frames_out += 1
        self._tally.bytes_out += len(sealed)
        return True

    def _begin(self, names: frozenset[str]) -> Machine:
        assert self._transport is not None
        initiator = Initiator(self._party, self.peer, names=names)
        _limit_unacknowledged(self._transport, self._limits.silence_s)
        self._transport.write(framed(initiator.start()))
        return initiator

    def _on_established(self, established: Established) -> None:
        self._reader.limit_bytes = 0
        self._taken_at_s = self._loop.time()
        self._look(self._taken_at_s)
        self._on_up(self)

    def _on_frame(self, sealed: bytes) -> None:
        self.end(Reason.UNEXPECTED)

    def _on_refused(self, reason: str) -> None:
        self._tell_refused(self.peer, reason)

    def _on_lost(self) -> None:
        self._unsent.clear()
        self._on_down(self)

    def _flush(self) -> None:
        if self._closing or self._transport is None:
            return
        self._written_bytes += self._unsent_bytes
        self._transport.write(b"".join(self._unsent))
        self._unsent.clear()
        self._unsent_bytes = 0

    def _look(self, due_at_s: float) -> None:
        """End the link if bytes wait and the kernel has taken none for too long."""
        if self._closing or self._transport is None:
            return
        now_s = self._loop.time()
        waiting_bytes = self._transport.get_write_buffer_size()
        taken_bytes = self._written_bytes - waiting_bytes
        moved = not waiting_bytes or taken_bytes != self._taken_bytes
        if moved or self._stood_still(due_at_s):
            self._taken_bytes, self._taken_at_s = taken_bytes, now_s
        elif now_s - self._taken_at_s >= self._limits.silence_s:
            self.end(Reason.STUCK, f"{waiting_bytes} bytes wait")
            return
        next_at_s = now_s + self._limits.silence_s / LOOKS_PER_SILENCE
        self._timer = self._loop.call_at(next_at_s, self._look, next_at_s)


def _limit_unacknowledged(transport: asyncio.Transport, limit_s: float) -> None:
    """Let the kernel end a connection whose bytes nobody acknowledges (Linux only).

    Without it a peer that lost its power looks connected until the buffer is full.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock = transport.get_extra_info("socket")
        sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limit_s * 1_000)
        )
