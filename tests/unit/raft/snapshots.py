"""Both ends of a snapshot's way, each by itself, and what they send."""

from cluster.raft.snapshot_receiver import SnapshotReceiver
from cluster.raft.snapshot_sender import SnapshotSender
from cluster.raft.wire import Message, SnapshotAck, SnapshotOffer, SnapshotPiece
from cluster.storage.snapshot_file import SnapshotMeta
from cluster.storage.snapshots import SnapshotStore, snapshot_name
from tests.scenarios.support_hands import HandClock, HandWorker
from tests.support.sim_files import SimFiles

PIECE_BYTES = 100
INDEX, TERM, CLUSTER = 50, 4, "c1"
BARE = SnapshotMeta(INDEX, TERM, CLUSTER, 1, ("a", "b"))


class Source:
    """A leader with a snapshot of more pieces than fit in a window."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.files = SimFiles()
        self.store = SnapshotStore(self.files)
        self.meta = self.store.write(BARE, [b"x" * 1000, b"y"])
        self.content = self.files.content(snapshot_name(INDEX))
        self.sent: list[tuple[str, Message]] = []
        self.failures: list[BaseException] = []
        self.worker = HandWorker()
        self.sender = SnapshotSender(
            self.store,
            self.worker,
            self._send,
            piece_bytes=PIECE_BYTES,
            now_s=self.clock.now_s,
            failed=self.failures.append,
        )

    def _send(self, peer: str, message: Message) -> bool:
        self.sent.append((peer, message))
        return True

    def offer(self, peer: str = "b") -> None:
        """Offer the snapshot."""
        self.sender.offer(peer, self.meta, 7)

    def ack(self, offset: int, *, peer: str = "b", finished: bool = False) -> None:
        """Take an ack of a follower."""
        self.sender.on_ack(peer, SnapshotAck(INDEX, offset, finished=finished))

    def pieces(self) -> list[SnapshotPiece]:
        """Return the pieces sent so far."""
        return [m for _, m in self.sent if isinstance(m, SnapshotPiece)]


class Target:
    """A follower that lacks what a snapshot holds."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.files = SimFiles()
        self.store = SnapshotStore(self.files)
        self.sent: list[tuple[str, Message]] = []
        self.failures: list[BaseException] = []
        self.installs: list[SnapshotMeta] = []
        self.known: set[tuple[int, int]] = set()
        self.worker = HandWorker()
        self.receiver = SnapshotReceiver(
            self.store,
            self.worker,
            self._send,
            is_known=lambda index, term: (index, term) in self.known,
            install=self.installs.append,
            now_s=self.clock.now_s,
            failed=self.failures.append,
        )

    def _send(self, peer: str, message: Message) -> bool:
        self.sent.append((peer, message))
        return True

    def offered(self, content: bytes, peer: str = "a", index: int = INDEX) -> None:
        """Take an offer."""
        offer = SnapshotOffer(7, index, TERM, len(content))
        self.receiver.on_offer(peer, offer, CLUSTER)

    def piece(
        self, offset: int, data: bytes, peer: str = "a", index: int = INDEX
    ) -> None:
        """Take a piece."""
        self.receiver.on_piece(peer, SnapshotPiece(index, offset, data))

    def whole(self, content: bytes, peer: str = "a") -> None:
        """Take all pieces."""
        for offset in range(0, len(content), PIECE_BYTES):
            self.piece(offset, content[offset : offset + PIECE_BYTES], peer)

    def acks(self) -> list[tuple[str, int, int, bool]]:
        """Return what was answered: peer, index, offset, whether that was all."""
        acks = [(peer, m) for peer, m in self.sent if isinstance(m, SnapshotAck)]
        return [(peer, m.index, m.offset, m.finished) for peer, m in acks]
