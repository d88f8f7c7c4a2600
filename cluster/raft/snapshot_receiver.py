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
from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore


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
        failed: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._worker = worker
        self._send = send
        self._is_known = is_known
        self._install = install
        self._failed = failed
        self._transfer: _Transfer | None = None
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
                return  # being verified or installed: its end answers
            self._abandon(transfer)
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
            offer = transfer.offer
            ack = SnapshotAck(offer.index, offer.size_bytes, finished=True)
            self._send(transfer.peer, ack)

    def _ended_badly(self, transfer: _Transfer, error: BaseException) -> None:
        if not isinstance(error, ValueError):
            self._failed(error)
            return
        self.rejected += 1
        if self._transfer is transfer:
            self._abandon(transfer)

    def _abandon(self, transfer: _Transfer) -> None:
        self._transfer = None
        self._worker.submit(transfer.file.abort, lambda _: None, self._failed)

    def on_disconnected(self, peer: str) -> None:
        """The sender is out of reach: a part of a file is worthless."""
        transfer = self._transfer
        if transfer is not None and transfer.peer == peer and not transfer.whole:
            self._abandon(transfer)
