"""One replica's Raft: the library's core with every repair around it, and its turns.

Everything here runs on the event loop. A *turn* hands waiting records to the log
worker, ticks the core, and hands over what the tick added; frames, syncs, proposals ask
for turns, and a timer stands behind them.
"""

import asyncio
from typing import Protocol

from cluster.config import ClusterConfig
from cluster.guard import guarded
from cluster.identity import Identity, Standing
from cluster.ledger import BatchResult, Ledger
from cluster.ports import Surroundings
from cluster.raft import library
from cluster.raft.appends import Appends
from cluster.raft.compaction import Compaction
from cluster.raft.contact import Contact
from cluster.raft.core import RaftCore
from cluster.raft.divergence import Divergence
from cluster.raft.election import Election
from cluster.raft.fitness import Fitness
from cluster.raft.founding import Founding
from cluster.raft.gateway import Gateway
from cluster.raft.log_writer import LogWriter
from cluster.raft.membership import Membership
from cluster.raft.outbox import Outbox
from cluster.raft.recovery import Recovery
from cluster.raft.snapshot_receiver import SnapshotReceiver
from cluster.raft.snapshot_sender import SnapshotSender
from cluster.raft.transport import RaftTransport

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
        self._guarded_turn = guarded(self._turn, surroundings.fatal)
        self._guarded_on_timer = guarded(self._on_timer, surroundings.fatal)
        self.gateway = Gateway(self, surroundings, incarnation)
        self.peers = self.gateway.peers
        self.writer = LogWriter(
            self.journal,
            recovery.wal,
            surroundings,
            self._synced,
            slow_s=config.timing.election_min_s,
        )
        self.membership = Membership(
            recovery.identity,
            self.writer,
            self._standing_changed,
            surroundings.report,
        )
        self.outbox = Outbox(self.journal, self.gateway.put)
        self.sender = SnapshotSender(
            recovery.store,
            surroundings.bulk_worker,
            self.gateway.put,
            piece_bytes=config.limits.snapshot_piece_bytes,
            now_s=library.now_s,
            failed=self.writer.failed,
        )
        self.appends = Appends(
            self.journal,
            self.outbox,
            offer_snapshot=self._offer_snapshot,
            is_receiving=self.sender.is_receiving,
        )
        self.transport = RaftTransport(
            self.journal,
            self.outbox,
            self.appends,
            config.peers,
            request_base=surroundings.random.getrandbits(40) << 20,
        )
        self.core = RaftCore(
            self.journal,
            self.transport,
            self.appends,
            config.node_id,
            config.timing,
            applied=recovery.stands_at,
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
            self.gateway.put,
            is_known=self.compaction.is_known,
            install=self.compaction.install,
            now_s=library.now_s,
            failed=self.writer.failed,
        )
        self.fitness = Fitness(
            self.core,
            self.writer,
            config.timing,
            config.peers,
            identity=lambda: self.identity,
            disk_low=lambda: self.compaction.disk_low,
            leader_age_s=self.contact.append_age_s,
            hang_up=surroundings.links.drop,
            fatal=surroundings.fatal,
        )
        self.divergence = Divergence(ledger, surroundings.fatal)
        self.election = Election(
            self.core,
            self.journal,
            self.outbox,
            node_id=config.node_id,
            may_vote=self.fitness.may_vote,
            may_campaign=self.fitness.may_campaign,
            leader_age_s=self.contact.append_age_s,
            election_min_s=config.timing.election_min_s,
        )
        self.founding = Founding(
            current=lambda: self.identity,
            term=lambda: int(self.core.raftCurrentTerm),
            connected=self.peers.connected,
            send=self.gateway.put,
            adopt=self.membership.adopt,
            new_cluster_id=lambda: f"{surroundings.random.getrandbits(64):016x}",
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
        self._timer = self._loop.call_later(
            self.config.timing.tick_s, self._guarded_on_timer
        )
        now = library.now_s()
        self.fitness.check_disk()
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
            self._loop.call_soon(self._guarded_turn)

    def _turn(self) -> None:
        self._turn_asked = False
        if self.is_closed or self.identity.standing is Standing.EMPTY:
            return
        self.writer.write()
        self._tick()
        self.writer.write()
        self._note_leader()
        self._owner.ticked()

    def _tick(self) -> None:
        self.outbox.begin_tick()
        try:
            self.election.before_tick()
            self.core.doTick(0.0)
            self.fitness.after_tick()
        finally:
            self.outbox.end_tick()

    def _synced(self) -> None:
        self.outbox.on_synced()
        self.transport.on_synced()
        self.wake()

    def _apply_entry(self, index: int, entry: bytes) -> BatchResult | None:
        try:
            result = self.ledger.apply(index, entry)
        except BaseException as error:  # an unknown command, no memory: stop (I2)
            text = f"{type(error).__name__}: {error}"
            self._surroundings.fatal(f"entry {index} cannot be applied: {text}")
        self.divergence.applied(index)
        self._owner.applied(index)
        return result

    def _note_leader(self) -> None:
        changed = self.contact.note()
        if changed is not None:
            fields: dict[str, object] = {"leader": changed[0], "term": changed[1]}
            self._surroundings.report("leader changed", fields)
            self._owner.leader_changed()

    def _state_changed(self, former: int, state: int) -> None:
        if former == library.LEADER:
            self.contact.led_until(self.core.quorum_heard_s())
        if state == library.LEADER:
            self.elections_won += 1
            self.contact.led_term = int(self.core.raftCurrentTerm)
            for peer in self.config.peers:
                self.appends.forget(peer)
            fields: dict[str, object] = {"term": self.contact.led_term}
            self._surroundings.report("became leader", fields)

    # -- identity

    @property
    def identity(self) -> Identity:
        """Who this replica is now; on disk."""
        return self.membership.identity

    def _standing_changed(self) -> None:
        self.gateway.tell_everybody()
        self.wake()

    # -- snapshots

    def _offer_snapshot(self, peer: str) -> None:
        if (newest := self.compaction.newest) is not None:
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
