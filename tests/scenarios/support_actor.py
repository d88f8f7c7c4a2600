"""One replica of a script: the shipped node, ticked, synced and killed by hand.

``lacking`` names subclasses of the shipped parts, each without one repair: the part
becomes one of those after it is built, so the rest of the replica stays as shipped.
"""

import inspect
from random import Random
from typing import Any

from cluster.config import ClusterConfig
from cluster.flight import Verdict
from cluster.guard import GuardedWorker
from cluster.identity import Identity, Standing
from cluster.ledger import Batch, BatchResult, Ledger, encode_batch
from cluster.ports import Surroundings
from cluster.raft import proposals
from cluster.raft.node import RaftNode
from cluster.raft.recovery import recover
from cluster.storage.wal import Wal
from tests.scenarios.support_hands import (
    Died,
    HandLinks,
    HandWorker,
    Notebook,
    Wires,
    die,
)
from tests.support.sim_files import SimFiles

CLUSTER_ID = "c1"
NEVER_S = 1e12


class HandNode(RaftNode):
    """The shipped node; turns happen when the script says so."""

    def wake(self) -> None:
        """Wait for the script."""

    def turn(self) -> None:
        """Take one turn."""
        self._guarded_turn()


def _become(node: HandNode, lacking: tuple[type, ...]) -> None:
    """Give parts of ``node`` the classes in ``lacking`` that derive from theirs."""
    parts = [part for part in vars(node).values() if hasattr(part, "__dict__")]
    changed = []
    for part in parts:
        for kind in lacking:
            if kind is not type(part) and issubclass(kind, type(part)):
                part.__class__ = kind
                changed.append(part)
    for part in parts:  # what others hold are methods of the former class
        for name, held in list(vars(part).items()):
            if inspect.ismethod(held) and held.__self__ in changed:
                setattr(part, name, getattr(held.__self__, held.__name__, held))


class Attempt:
    """One proposal of the script, and what became of it."""

    def __init__(self, command: bytes, payload: bytes) -> None:
        self.command = command
        self.payload = payload
        self.verdict: Verdict | None = None
        self.result: BatchResult | None = None
        self.answers = 0

    def answer(self, verdict: Verdict, result: BatchResult | None) -> None:
        """Take the library's answer."""
        self.answers += 1
        self.verdict, self.result = verdict, result

    def acknowledged(self) -> bool:
        """Whether the client was told that it is done."""
        return self.verdict is Verdict.DONE


class Listener:
    """What the node tells its owner."""

    def __init__(self) -> None:
        self.applied_indexes: list[int] = []
        self.leader_changes = 0

    def leader_changed(self) -> None:
        """Count it."""
        self.leader_changes += 1

    def applied(self, index: int) -> None:
        """Note it."""
        self.applied_indexes.append(index)

    def ticked(self) -> None:
        """Nothing to do."""


class Actor:
    """One host of the script: files that stay, and one life after another."""

    def __init__(
        self, wires: Wires, config: ClusterConfig, lacking: tuple[type, ...]
    ) -> None:
        self.node_id = config.node_id
        self.config = config
        self.files = SimFiles()
        self.lacking = lacking
        self.lives = 0
        self.died = ""
        self.reports: list[str] = []
        self._wires = wires
        self._numbers = 0
        self.node: Any = None
        self.machine = Notebook()
        self.listener = Listener()
        self.log_worker = HandWorker()
        self.bulk_worker = HandWorker()
        self.links = HandLinks(wires, self.node_id)

    # -- lives

    def found(self, standing: Standing = Standing.MEMBER) -> None:
        """Put a founded identity on the empty disk."""
        wal, _ = Wal.recover(self.files, self.config.limits)
        members = tuple(sorted(self.config.members))
        wal.write_identity(Identity(self.node_id, CLUSTER_ID, 1, members, standing))
        wal.close()

    async def start(self) -> None:
        """Begin a life over the files as they are."""
        self.lives += 1
        self.died = ""
        self._numbers = 0
        self.machine, self.listener = Notebook(), Listener()
        self.log_worker, self.bulk_worker = HandWorker(), HandWorker()
        guards = [kind for kind in self.lacking if issubclass(kind, GuardedWorker)]
        guard = guards[0] if guards else GuardedWorker
        surroundings = Surroundings(
            files=self.files,
            log_worker=guard(self.log_worker, die),
            bulk_worker=guard(self.bulk_worker, die),
            links=self.links,
            random=Random(f"{self.node_id}{self.lives}"),
            fatal=die,
            report=lambda event, _: self.reports.append(event),
        )
        ledger = Ledger(self.machine, self.config.schema)
        recovery = await recover(self.config, surroundings, ledger)
        kinds = [kind for kind in self.lacking if issubclass(kind, HandNode)]
        make = kinds[0] if kinds else HandNode
        incarnation = f"{self.node_id}{self.lives:07}".encode()
        node = make(
            self.config, surroundings, ledger, recovery, self.listener, incarnation
        )
        _become(node, self.lacking)
        node.gateway.open()
        self.node = node

    def kill(self) -> None:
        """End the process: what its worker has not begun to write is lost."""
        if self.node is not None:
            self.node.close()
        self.node = None
        self.log_worker.jobs.clear()
        self.bulk_worker.jobs.clear()
        self.files.crash()

    def power_cut(self) -> None:
        """End the host: what no sync covers is lost."""
        self.kill()
        self.files.power_cut(Random(0))

    def wipe(self) -> None:
        """End the process, and give the host an empty disk."""
        self.kill()
        self.files = SimFiles()

    # -- moves

    def tick(self, *, campaign: bool = False) -> None:
        """Take a turn; elections begin only when the script wants one."""
        if self.node is None:
            return
        if campaign:
            self.core._SyncObj__raftElectionDeadline = 0.0
        elif not self.core._SyncObj__transferInProgress:
            self.core._SyncObj__raftElectionDeadline = NEVER_S
        self._alive(self.node.turn)

    def sync(self, count: int | None = None) -> None:
        """Let the disk answer the first ``count`` jobs of the log."""
        self._alive(lambda: self.log_worker.release(count))

    def receive(self, peer: str, frame: bytes) -> None:
        """Take a frame."""
        if self.node is not None:
            self._alive(lambda: self.node.gateway.on_frame(peer, frame))

    def _alive(self, move: Any) -> None:
        try:
            move()
        except Died as error:
            self.died = str(error)
            self.kill()

    def propose(self, *commands: bytes) -> Attempt:
        """Propose one batch, as the batcher would."""
        self._numbers += 1
        incarnation = f"{self.node_id}{self.lives:07}".encode()
        batch = Batch(1, self.node_id, incarnation, self._numbers, list(commands))
        return self.submit(Attempt(b"".join(commands), encode_batch(batch)))

    def submit(self, attempt: Attempt) -> Attempt:
        """Propose the batch of ``attempt``."""
        proposals.submit(self.node, attempt.payload, attempt.answer)
        return attempt

    # -- what can be seen

    @property
    def core(self) -> Any:
        """The library's state."""
        return self.node.core

    @property
    def leads(self) -> bool:
        """Whether it believes that it leads."""
        return self.node is not None and bool(self.core.is_leader)

    @property
    def term(self) -> int:
        """Its term."""
        return int(self.core.raftCurrentTerm)

    @property
    def commit(self) -> int:
        """What it believes is committed."""
        return int(self.core.raftCommitIndex)

    @property
    def last(self) -> int:
        """Index of its newest entry."""
        return int(self.node.journal.last_index)

    @property
    def log(self) -> list[tuple[int, int]]:
        """(index, term) of its entries."""
        return [(index, term) for _, index, term in self.node.journal.log]

    def matched(self, peer: str) -> int:
        """How far this leader counts ``peer``."""
        return int(self.core._SyncObj__raftMatchIndex[self.node.transport.nodes[peer]])

    def next(self, peer: str) -> int:
        """What this leader would send ``peer`` next."""
        return int(self.core._SyncObj__raftNextIndex[self.node.transport.nodes[peer]])
