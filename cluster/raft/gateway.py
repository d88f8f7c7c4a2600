"""Between links and node: frames and hellos in, frames and signs of life out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cluster.identity import FORMAT_VERSION, Standing
from cluster.ports import Surroundings
from cluster.raft import hello, library, wire
from cluster.raft.peers import Peers

if TYPE_CHECKING:
    from cluster.raft.node import RaftNode

_BEFORE_A_CLUSTER = (wire.KeepAlive, wire.FoundQuery, wire.FoundState, wire.Found)
_OF_VOTERS = (wire.RequestVote, wire.PreVote)


class Gateway:
    """Implements ``LinkEvents`` for a node."""

    def __init__(
        self, node: "RaftNode", surroundings: Surroundings, incarnation: bytes
    ) -> None:
        self._node = node
        self._links = surroundings.links
        self._fatal = surroundings.fatal
        self._incarnation = incarnation
        self._next_keep_alive_s = 0.0
        self._table: dict[type, Callable[[str, Any], None]] = {}
        self.peers = Peers(
            node.config.peers,
            now_s=library.now_s,
            new_life=lambda peer: node.transport.forget_acks(peer),
            report=surroundings.report,
        )

    def open(self) -> None:
        """Know where each message goes; once the node's parts are there."""
        node = self._node
        transport, founding = node.transport, node.founding
        self._table = {
            wire.Append: self._on_append,
            wire.Ack: transport.on_ack,
            wire.RequestVote: transport.on_request_vote,
            wire.Vote: transport.on_vote,
            wire.TimeoutNow: transport.on_timeout_now,
            wire.Forward: transport.on_forward,
            wire.ForwardAnswer: transport.on_forward_answer,
            wire.PreVote: node.election.on_pre_vote,
            wire.PreVoteGranted: node.election.on_granted,
            wire.NewerTerm: node.election.on_newer_term,
            wire.KeepAlive: self._on_keep_alive,
            wire.SnapshotOffer: self._on_offer,
            wire.SnapshotPiece: node.receiver.on_piece,
            wire.SnapshotAck: node.sender.on_ack,
            wire.FoundQuery: founding.on_query,
            wire.FoundState: founding.on_state,
            wire.Found: founding.on_found,
        }

    # -- out

    def put(self, peer: str, message: wire.Message) -> bool:
        """Send a message now; False if there is no link."""
        return self._links.send(peer, wire.encode(self._incarnation, message))

    def tick(self, now_s: float) -> None:
        """Tell everybody each second where we stand: it also keeps links warm."""
        if now_s >= self._next_keep_alive_s:
            self._next_keep_alive_s = now_s + self._node.config.timing.keep_alive_s
            self.tell_everybody()

    def tell_everybody(self) -> None:
        """Send a keep-alive to every peer now."""
        for peer in sorted(self.peers.connected()):
            self.put(peer, self._keep_alive())

    def _keep_alive(self) -> wire.KeepAlive:
        node = self._node
        checked_index, crc = node.divergence.newest()
        return wire.KeepAlive(
            int(node.core.raftCurrentTerm),
            node.identity.cluster_id,
            int(node.core.raftLastApplied),
            checked_index,
            crc,
            node.config.schema,
        )

    # -- what the links tell

    def hello(self) -> bytes:
        """Say who we are."""
        node = self._node
        me = node.identity
        return hello.encode(
            hello.Hello(
                FORMAT_VERSION,
                me.node_id,
                self._incarnation,
                me.cluster_id,
                me.epoch,
                me.members,
                int(node.core.raftCurrentTerm),
                node.config.advertise,
                node.config.schema,
            )
        )

    def on_hello(self, peer: str, data: bytes) -> str | None:
        """Judge a peer's hello."""
        node = self._node
        reason = self.peers.judge(node.identity, node.ledger.min_schema, peer, data)
        said = None if reason else self.peers[peer].hello
        if said is not None:
            self._node.founding.on_cluster_seen(said.cluster_id, said.term)
        return reason

    def on_refused(self, peer: str, reason: str) -> None:
        """A peer refused us."""
        self.peers.refused_by(peer, reason)

    def on_connected(self, peer: str) -> None:
        """Frames reach ``peer``."""
        self.peers.let_in(peer)
        self._node.transport.on_connected(peer)
        self.put(peer, self._keep_alive())
        self._node.wake()

    def on_disconnected(self, peer: str) -> None:
        """Frames no longer reach ``peer``."""
        node = self._node
        self.peers[peer].is_connected = False
        node.sender.stop(peer)
        node.receiver.on_disconnected(peer)
        node.transport.on_disconnected(peer)
        if peer == node.core.leader:
            node.election.leader_link_broke()
            node.wake()

    def on_frame(self, peer: str, frame: bytes) -> None:
        """Take a frame. Raises ValueError for one that no honest replica sends."""
        incarnation, message = wire.decode(frame)
        node = self._node
        if node.is_closed or not self.peers.heard(peer, incarnation):
            return
        kind = type(message)
        standing = node.identity.standing
        if standing is Standing.EMPTY and kind not in _BEFORE_A_CLUSTER:
            return
        if standing is Standing.JOINING and kind in _OF_VOTERS:
            return  # our former self may have voted: see founding
        try:
            self._table[kind](peer, message)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            self._fatal(f"a message of {peer} broke an invariant: {text}")
        node.wake()

    def _on_append(self, peer: str, message: wire.Append) -> None:
        node = self._node
        term = int(node.core.raftCurrentTerm)
        if message.term < term:  # the library stays silent, and the old leader goes on
            answer = wire.NewerTerm(term, to_append=True)
            node.outbox.send_when_synced(peer, answer)
            return
        node.election.leader_heard()
        node.transport.on_append(peer, message)

    def _on_offer(self, peer: str, message: wire.SnapshotOffer) -> None:
        node = self._node
        if message.term == node.core.raftCurrentTerm:
            node.receiver.on_offer(peer, message, node.identity.cluster_id)

    def _on_keep_alive(self, peer: str, message: wire.KeepAlive) -> None:
        node = self._node
        known = self.peers[peer]
        known.applied_index = message.applied_index
        known.schema = message.schema
        ours = node.identity.cluster_id
        if ours and message.cluster_id and message.cluster_id != ours:
            # It came to another cluster after its hello: the next one is refused.
            self._links.drop(peer)
            return
        node.founding.on_cluster_seen(message.cluster_id, message.term)
        if peer == node.core.leader and message.term == node.core.raftCurrentTerm:
            node.divergence.leader_said(message.checked_index, message.crc)
