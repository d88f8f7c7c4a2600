"""Snapshots on their way to other replicas, in acknowledged pieces beside the appends.

The library would send one inside its appends, as fast as it can read, and let the
commit index move meanwhile. Here the leader offers, the follower asks for what it
lacks, at most WINDOW pieces are under way, and files are touched in the bulk worker
only.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cluster.ports import ReadFile, Worker
from cluster.raft.wire import Message, SnapshotAck, SnapshotOffer, SnapshotPiece
from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore

WINDOW = 4
SILENCE_S = 10.0
"""A transfer without an ack for this long is given up; the next offer begins anew."""


@dataclass(slots=True)
class _Outgoing:
    index: int
    file: ReadFile
    size_bytes: int
    read_bytes: int = 0
    acked_bytes: int = 0
    heard_s: float = 0.0


class SnapshotSender:
    """The leader's side: one transfer per peer."""

    def __init__(
        self,
        store: SnapshotStore,
        worker: Worker,
        send: Callable[[str, Message], bool],
        *,
        piece_bytes: int,
        now_s: Callable[[], float],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._worker = worker
        self._send = send
        self._piece_bytes = piece_bytes
        self._now_s = now_s
        self._failed = failed
        self._active: dict[str, _Outgoing] = {}
        self.sent = 0
        """Transfers finished, for the metrics."""

    def is_receiving(self, peer: str) -> bool:
        """Whether a transfer to ``peer`` is under way."""
        outgoing = self._active.get(peer)
        if outgoing is None:
            return False
        if self._now_s() - outgoing.heard_s > SILENCE_S:
            self.stop(peer)
            return False
        return True

    def offer(self, peer: str, meta: SnapshotMeta, term: int) -> None:
        """Offer the snapshot, unless one is already under way."""
        if self.is_receiving(peer):
            return
        try:
            file = self._store.open_raw(meta)
        except OSError:
            return  # replaced this moment, or no descriptor left: asked for again
        outgoing = _Outgoing(meta.index, file, file.size(), heard_s=self._now_s())
        self._active[peer] = outgoing
        self._send(
            peer, SnapshotOffer(term, meta.index, meta.term, outgoing.size_bytes)
        )

    def on_ack(self, peer: str, ack: SnapshotAck) -> None:
        """The peer holds the file up to an offset, or wants no more."""
        outgoing = self._active.get(peer)
        if outgoing is None or ack.index != outgoing.index:
            return
        outgoing.heard_s = self._now_s()
        outgoing.acked_bytes = max(outgoing.acked_bytes, ack.offset)
        if ack.finished:
            self.sent += 1
            self.stop(peer)
            return
        self._fill_window(peer, outgoing)

    def _fill_window(self, peer: str, outgoing: _Outgoing) -> None:
        window_bytes = WINDOW * self._piece_bytes
        while (
            outgoing.read_bytes < outgoing.size_bytes
            and outgoing.read_bytes - outgoing.acked_bytes < window_bytes
        ):
            offset = outgoing.read_bytes
            outgoing.read_bytes += min(self._piece_bytes, outgoing.size_bytes - offset)
            self._read(peer, outgoing, offset)

    def _read(self, peer: str, outgoing: _Outgoing, offset: int) -> None:
        def send(data: bytes) -> None:
            if self._active.get(peer) is outgoing:
                self._send(peer, SnapshotPiece(outgoing.index, offset, data))

        count = self._piece_bytes
        self._worker.submit(
            lambda: outgoing.file.read_at(offset, count), send, self._failed
        )

    def stop(self, peer: str) -> None:
        """End the transfer to ``peer``, if there is one."""
        outgoing = self._active.pop(peer, None)
        if outgoing is not None:
            # In the worker, behind reads that are still queued.
            self._worker.submit(outgoing.file.close, lambda _: None, self._failed)

    def stop_all(self) -> None:
        """End all transfers."""
        for peer in list(self._active):
            self.stop(peer)
