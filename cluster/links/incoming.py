"""A connection that we accepted: a stranger until the handshake is over, then heard."""

from collections.abc import Callable, Collection

from cluster.links.connection import Connection, Machine
from cluster.links.handshake import Established, Party, Responder
from cluster.links.reasons import Reason
from cluster.links.sealing import Forged
from cluster.links.settings import LinkLimits
from cluster.links.tally import Tally


class IncomingLink(Connection):
    """Hears the frames of one peer. Ends when nothing is heard for ``silence_s``."""

    def __init__(
        self,
        party: Party,
        peers: Collection[str],
        *,
        limits: LinkLimits,
        tally: Tally,
        remote: str,
        on_up: Callable[["IncomingLink"], None],
        on_down: Callable[["IncomingLink"], None],
        on_refused: Callable[[str, str], None],
        on_frame: Callable[[str, bytes], None],
    ) -> None:
        super().__init__(limits=limits, tally=tally, remote=remote)
        self.peer = ""
        self._party = party
        self._peers = peers
        self._responder: Responder | None = None
        self._on_up = on_up
        self._on_down = on_down
        self._tell_refused = on_refused
        self._deliver = on_frame
        self._heard_at_s = 0.0

    def data_received(self, data: bytes) -> None:
        """Note that the peer lives, then take the bytes."""
        self._heard_at_s = self._loop.time()
        super().data_received(data)

    def _begin(self, names: frozenset[str]) -> Machine:
        self._responder = Responder(self._party, self._peers, names=names)
        return self._responder

    def _on_established(self, established: Established) -> None:
        self.peer = established.peer
        self._listen_until(self._heard_at_s + self._limits.silence_s)
        self._on_up(self)

    def _on_frame(self, sealed: bytes) -> None:
        assert self.established is not None
        try:
            frame = self.established.opener.open(sealed)
        except Forged as error:
            self.end(Reason.FORGED, str(error))
            return
        self._tally.frames_in += 1
        self._tally.bytes_in += len(sealed)
        try:
            self._deliver(self.peer, frame)
        except ValueError as error:
            self.end(Reason.BAD_FRAME, str(error))

    def _on_refused(self, reason: str) -> None:
        assert self._responder is not None
        self._tell_refused(self._responder.claimed, reason)

    def _on_lost(self) -> None:
        self._on_down(self)

    def _listen_until(self, at_s: float) -> None:
        self._timer = self._loop.call_at(at_s, self._listen, at_s)

    def _listen(self, due_at_s: float) -> None:
        """End the link if nothing was heard since; else look again later."""
        if self._closing:
            return
        if self._stood_still(due_at_s):
            self._heard_at_s = self._loop.time()
        silent_from_s = self._heard_at_s + self._limits.silence_s
        if self._loop.time() >= silent_from_s:
            self.end(Reason.SILENT)
        else:
            self._listen_until(silent_from_s)
