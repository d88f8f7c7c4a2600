"""Makes the parts of one run of the leases workload, which know each other."""

from collections.abc import Callable

from cluster.config import ClusterConfig
from cluster.ports import Surroundings
from cluster.state_machine import StateMachine
from registry.duties import Duties
from tests.simulation.clients import Caller
from tests.simulation.duty_replica import DutyReplica
from tests.simulation.lease_clients import LeaseWorkload
from tests.simulation.lease_machine import SimLeaseCatalog


class LeaseStage:
    """Makes the parts of one run. ``make_duties`` may be a broken one."""

    def __init__(self, make_duties: Callable[..., Duties] = Duties) -> None:
        self._make_duties = make_duties
        self._workload: LeaseWorkload | None = None

    def workload(self, caller: Caller) -> LeaseWorkload:
        """Make the workload; the machines and replicas of the run belong to it."""
        self._workload = LeaseWorkload(caller)
        return self._workload

    def machine(self) -> SimLeaseCatalog:
        """Make the state machine of one life."""
        assert self._workload is not None
        return SimLeaseCatalog(self._workload.lease_judge)

    def replica(
        self, config: ClusterConfig, machine: StateMachine, surroundings: Surroundings
    ) -> DutyReplica:
        """Make the replica of one life."""
        assert self._workload is not None
        return DutyReplica(
            config,
            machine,
            surroundings,
            scene=self._workload.scene,
            make_duties=self._make_duties,
        )
