"""One replica's Raft: the library's core with every repair around it, ticked from the
loop.

Everything here runs on the event loop. A *turn* hands waiting records to the log
worker, ticks the core, and hands over what the tick added; frames, syncs and proposals
each ask for a turn, and a timer stands behind them. At most one sync is under way.
"""

import asyncio
from typing import Protocol

from cluster.config import ClusterConfig
from cluster.identity import Identity, Standing
from cluster.ledger import BatchResult, Ledger
from cluster.ports import Surroundings
from cluster.raft import library
from cluster.raft.compaction import Compaction
from cluster.raft.contact import Contact
from cluster.raft.core import RaftCore
from cluster.raft.divergence import Divergence
from cluster.raft.election import Election
from cluster.raft.founding import Founding
from cluster.raft.gateway import Gateway
from cluster.raft.log_writer import LogWriter
from cluster.raft.outbox import Outbox
from cluster.raft.recovery import Recovery
from cluster.raft.snapshot_receiver import SnapshotReceiver
from cluster.raft.snapshot_sender import SnapshotSender
from cluster.raft.transport import RaftTransport
from cluster.state_machine import UnknownCommand

HOUSEKEEPING_S = 1.0


class Owner(Protocol):
    """Who is told of what happens; each call is cheap and must not raise."""

    def leader_changed(self) -> None:
        """Leader or term differ from before."""

    def applied(self, index: int) -> None:
        """The state is that of ``index``."""

    def ticked(self) -> None:
        """A turn ended."""


class RaftNode:
    """Raft over journal, links and ledger."""

    def __init__(
        self,
        config: ClusterConfig,
        surroundings: Surroundings,
        ledger: Ledger,
        recovery: Recovery,
        owner: Owner,
        incarnation: bytes,
    ) -> None:
        self.config = config
        self.identity = recovery.identity
        self.ledger = ledger
        self.journal = recovery.journal
        self._surroundings = surroundings
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._turn_asked = False
        self._next_housekeeping_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.is_closed = False
        self.elections_won = 0
        self.hand_over = False
        """Ask each turn that somebody else leads (stopping)."""
        rng = surroundings.random
        self.gateway = Gateway(self, surroundings, incarnation)
        self.peers = self.gateway.peers
        put = self.gateway.put
        self.writer = LogWriter(
            self.journal,
            recovery.wal,
            surroundings,
            self._synced,
            slow_s=config.timing.election_min_s,
        )
        self.outbox = Outbox(self.journal, put)
        self.sender = SnapshotSender(
            recovery.store,
            surroundings.bulk_worker,
            put,
            piece_bytes=config.limits.snapshot_piece_bytes,
            now_s=library.now_s,
            failed=self.writer.failed,
        )
        self.transport = RaftTransport(
            self.journal,
            self.outbox,
            config.peers,
            offer_snapshot=self._offer_snapshot,
            is_receiving=self.sender.is_receiving,
            request_base=rng.getrandbits(40) << 20,
        )
        applied = 1 if recovery.newest is None else recovery.newest.index
        self.core = RaftCore(
            self.journal,
            self.transport,
            config.node_id,
            config.timing,
            applied_index=applied,
            apply_entry=self._apply_entry,
            state_changed=self._state_changed,
            want_tick=self.wake,
        )
        self.contact = Contact(self.core, self.transport)
        self.compaction = Compaction(
            recovery,
            self.core,
            ledger,
            surroundings,
            config.limits,
            identity=lambda: self.identity,
            installed=self._installed,
        )
        self.receiver = SnapshotReceiver(
            recovery.store,
            surroundings.bulk_worker,
            put,
            is_known=self.compaction.is_known,
            install=self.compaction.install,
            failed=self.writer.failed,
        )
        self.divergence = Divergence(ledger, surroundings.fatal)
        self.election = Election(
            self.core,
            self.journal,
            self.outbox,
            may_vote=lambda: self.identity.standing is Standing.MEMBER,
            may_campaign=self._may_campaign,
            leader_age_s=self.contact.leader_age_s,
            election_min_s=config.timing.election_min_s,
        )
        self.founding = Founding(
            current=lambda: self.identity,
            term=lambda: int(self.core.raftCurrentTerm),
            connected=self.peers.connected,
            send=put,
            adopt=self.adopt,
            new_cluster_id=lambda: f"{rng.getrandbits(64):016x}",
            report=surroundings.report,
        )
        self.gateway.open()

    # -- running

    def start(self) -> None:
        """Begin to tick."""
        self._on_timer()

    def _on_timer(self) -> None:
        if self.is_closed:
            return
        self._timer = self._loop.call_later(self.config.timing.tick_s, self._on_timer)
        now = library.now_s()
        self.founding.tick(now)
        self.gateway.tick(now)
        if now >= self._next_housekeeping_s:
            self._next_housekeeping_s = now + HOUSEKEEPING_S
            self.compaction.check_disk()
            self.compaction.make_if_due()
        self.wake()

    def wake(self) -> None:
        """Ask for a turn, soon."""
        if not self._turn_asked and not self.is_closed:
            self._turn_asked = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_asked = False
        if self.is_closed or self.identity.standing is Standing.EMPTY:
            return
        self.writer.write()
        try:
            self._tick()
        except Exception as error:
            self._surroundings.fatal(f"Raft failed: {type(error).__name__}: {error}")
        self.writer.write()
        self._note_leader()
        self._owner.ticked()

    def _tick(self) -> None:
        self.outbox.begin_tick()
        try:
            self.election.before_tick()
            self.core.doTick(0.0)
            if self.hand_over or self.compaction.disk_low:
                self._try_hand_over()
        finally:
            self.outbox.end_tick()

    def _try_hand_over(self) -> None:
        if self.core.is_leader and self.config.peers:
            self.core.transferLeadership()  # refused until a peer holds the last entry

    def _synced(self) -> None:
        self.outbox.on_synced()
        self.transport.on_synced()
        self.wake()

    def _apply_entry(self, index: int, entry: bytes) -> BatchResult | None:
        try:
            result = self.ledger.apply(index, entry)
        except UnknownCommand as error:
            self._surroundings.fatal(f"entry {index} cannot be applied: {error}")
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
            self._surroundings.fatal(f"applying entry {index} failed: {text}")
        self.divergence.applied(index)
        self._owner.applied(index)
        return result

    def _note_leader(self) -> None:
        changed = self.contact.note()
        if changed is not None:
            fields: dict[str, object] = {"leader": changed[0], "term": changed[1]}
            self._surroundings.report("leader changed", fields)
            self._owner.leader_changed()

    def _state_changed(self, state: int) -> None:
        if state == library.LEADER:
            self.elections_won += 1
            self.contact.led_term = int(self.core.raftCurrentTerm)
            fields: dict[str, object] = {"term": self.core.raftCurrentTerm}
            self._surroundings.report("became leader", fields)

    def _may_campaign(self) -> bool:
        is_member = self.identity.standing is Standing.MEMBER
        unfit = self.hand_over or self.compaction.disk_low
        return is_member and not (unfit and self.config.peers)

    # -- identity

    def adopt(self, identity: Identity) -> None:
        """Make ``identity`` durable, then ours."""

        def written() -> None:
            self.identity = identity
            fields: dict[str, object] = {"standing": str(identity.standing)}
            self._surroundings.report("standing changed", fields)
            self.gateway.tell_everybody()
            self.wake()

        self.writer.write_identity(identity, written)

    async def become_member(self) -> None:
        """End joining: vote from now on, but in no term that our former self knew."""
        self.core.adopt_vote(self.core.leader or self.identity.node_id)
        await self.writer.wait_synced()
        me = self.identity
        self.adopt(
            Identity(me.node_id, me.cluster_id, me.epoch, me.members, Standing.MEMBER)
        )

    # -- snapshots

    def _offer_snapshot(self, peer: str) -> None:
        newest = self.compaction.newest
        if newest is not None:
            self.sender.offer(peer, newest, int(self.core.raftCurrentTerm))

    def _installed(self, index: int) -> None:
        self.receiver.installed()
        self._owner.applied(index)
        self.wake()

    def close(self) -> None:
        """Stop ticking."""
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.sender.stop_all()
        self.compaction.cancel()

    def counters(self) -> dict[str, float]:
        """Return what happened since the start, for the metrics."""
        return {
            "syncs": self.writer.syncs,
            "slow_syncs": self.writer.slow_syncs,
            "last_sync_seconds": self.writer.last_sync_s,
            "elections_won": self.elections_won,
            "pre_vote_rounds": self.election.rounds,
            "stale_messages": self.transport.stale_dropped + self.peers.stale_frames,
            "peers_refused": self.peers.refused,
            "snapshots_made": self.compaction.made,
            "snapshots_installed": self.compaction.installs,
            "snapshots_sent": self.sender.sent,
            "snapshots_rejected": self.receiver.rejected,
            "divergence_checks": self.divergence.compared,
        }
