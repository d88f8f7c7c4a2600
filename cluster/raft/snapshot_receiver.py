"""A snapshot on its way to this replica: pieces in, a verified file out, then the
install.

At most one at a time; a newer offer displaces an older one. Files are touched in the
bulk worker only. What a peer sends wrong ends its transfer; what the disk does wrong
ends us.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cluster.ports import Worker
from cluster.raft.wire import Message, SnapshotAck, SnapshotOffer, SnapshotPiece
from cluster.storage.incoming import Incoming
from cluster.storage.reserve import is_full
from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore

FULL_PAUSE_S = 10.0
"""Pause before the next snapshot is taken when the disk had no room for one."""


@dataclass(slots=True)
class _Transfer:
    peer: str
    offer: SnapshotOffer
    file: Incoming
    received_bytes: int = 0
    whole: bool = False


class SnapshotReceiver:
    """The follower's side.

    ``is_known(index, term)`` says that the offered state is already ours. ``install``
    gets a verified snapshot; ``installed`` must be called when the state is replaced.
    """

    def __init__(
        self,
        store: SnapshotStore,
        worker: Worker,
        send: Callable[[str, Message], bool],
        *,
        is_known: Callable[[int, int], bool],
        install: Callable[[SnapshotMeta], None],
        now_s: Callable[[], float],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._worker = worker
        self._send = send
        self._is_known = is_known
        self._install = install
        self._failed = failed
        self._now_s = now_s
        self._transfer: _Transfer | None = None
        self._also_offered: set[tuple[str, int]] = set()
        self._not_before_s = 0.0
        self.rejected = 0
        """Transfers that ended because the peer sent something wrong, for the metrics.
        """

    def on_offer(self, peer: str, offer: SnapshotOffer, cluster_id: str) -> None:
        """Ask for the snapshot from its beginning, or say that it is not needed."""
        if self._is_known(offer.index, offer.snapshot_term):
            self._send(peer, SnapshotAck(offer.index, 0, finished=True))
            return
        transfer = self._transfer
        if transfer is not None:
            if transfer.whole:
                # Being verified or installed. Whoever offers meanwhile (a new leader,
                # say) sends nothing else to us until it is answered.
                self._also_offered.add((peer, offer.index))
                return
            if (transfer.peer, transfer.offer.index) == (peer, offer.index):
                self._drop(transfer)  # the same one anew: do not say that it is enough
            else:
                self._abandon(transfer)
        if self._now_s() < self._not_before_s:
            return
        file = self._store.receiver(
            cluster_id=cluster_id,
            index=offer.index,
            term=offer.snapshot_term,
            size_bytes=offer.size_bytes,
        )
        self._transfer = _Transfer(peer, offer, file)
        self._send(peer, SnapshotAck(offer.index, 0, finished=False))

    def on_piece(self, peer: str, piece: SnapshotPiece) -> None:
        """Add a piece to the file; ack it when it is written."""
        transfer = self._transfer
        if (
            transfer is None
            or transfer.peer != peer
            or transfer.offer.index != piece.index
            or transfer.received_bytes != piece.offset
            or transfer.whole
        ):
            return  # of a transfer that ended
        transfer.received_bytes += len(piece.data)
        transfer.whole = transfer.received_bytes >= transfer.offer.size_bytes

        def written(_: None) -> None:
            if self._transfer is transfer and not transfer.whole:
                offset = piece.offset + len(piece.data)
                self._send(peer, SnapshotAck(piece.index, offset, finished=False))

        self._worker.submit(
            lambda: transfer.file.append(piece.offset, piece.data),
            written,
            lambda error: self._ended_badly(transfer, error),
        )
        if transfer.whole:
            self._worker.submit(
                transfer.file.finish,
                self._install,
                lambda error: self._ended_badly(transfer, error),
            )

    def installed(self) -> None:
        """The state is that of the received snapshot now."""
        transfer, self._transfer = self._transfer, None
        if transfer is not None:
            self._answer_finished(transfer)

    def _answer_finished(self, transfer: _Transfer) -> None:
        """Let every sender go on with appends; what we still lack is offered again."""
        offers = {(transfer.peer, transfer.offer.index), *self._also_offered}
        self._also_offered.clear()
        for peer, index in sorted(offers):
            self._send(peer, SnapshotAck(index, 0, finished=True))

    def _ended_badly(self, transfer: _Transfer, error: BaseException) -> None:
        if isinstance(error, OSError) and is_full(error):
            self._not_before_s = self._now_s() + FULL_PAUSE_S
        elif not isinstance(error, ValueError):
            self._failed(error)
            return
        self.rejected += 1
        if self._transfer is transfer:
            self._abandon(transfer)

    def _abandon(self, transfer: _Transfer) -> None:
        self._drop(transfer)
        self._answer_finished(transfer)

    def _drop(self, transfer: _Transfer) -> None:
        self._transfer = None
        self._worker.submit(transfer.file.abort, lambda _: None, self._failed)

    def on_disconnected(self, peer: str) -> None:
        """The sender is out of reach: a part of a file is worthless."""
        transfer = self._transfer
        if transfer is not None and transfer.peer == peer and not transfer.whole:
            self._abandon(transfer)
