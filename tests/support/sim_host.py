"""What simulated nodes share, and what the simulation uses of a replica."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cluster.config import ClusterConfig
from cluster.ports import Surroundings
from cluster.state_machine import StateMachine
from cluster.status import Applied, Status
from tests.support.sim_loop import SimLoop
from tests.support.sim_network import SimNetwork
from tests.support.sim_worker import Latency


class ReplicaPort(Protocol):
    """What the simulation uses of ``cluster.replica.Replica`` (or of a fake)."""

    @property
    def applied_index(self) -> int:
        """Index of the last entry that the state machine has applied."""

    @property
    def schema(self) -> int:
        """The newest command schema that all members have agreed on."""

    async def start(self) -> None:
        """Recover from the files, start links and ticking."""

    async def stop(self) -> None:
        """Hand leadership over and drain."""

    async def propose(self, command: bytes, *, deadline_s: float) -> Applied:
        """Replicate one command."""

    async def barrier(self, *, deadline_s: float) -> int:
        """Wait until everything acknowledged before now is applied here."""

    async def wait_applied(self, index: int, *, deadline_s: float) -> bool:
        """Wait until ``index`` is applied here."""

    def status(self) -> Status:
        """Describe this replica."""


MakeReplica = Callable[[ClusterConfig, StateMachine, Surroundings], ReplicaPort]


class Watcher(Protocol):
    """Who keeps the timeline, and is told of what must not happen."""

    def say(self, text: str) -> None:
        """Note an event."""

    def violated(self, text: str) -> None:
        """A promise was broken: the run ends."""

    def ended(self, node_id: str, schema: int, reason: str) -> None:
        """A replica ended itself, and nothing that was done to it explains why."""


class NodeDown(Exception):
    """The node was not there, or died before it answered (outcome unknown)."""


@dataclass(frozen=True, slots=True)
class Host:
    """What all nodes of a simulation share."""

    sim: SimLoop
    net: SimNetwork
    watcher: Watcher
    make_replica: MakeReplica
    disk_latency_s: Latency
    time_call_costs_s: float = 0.0
