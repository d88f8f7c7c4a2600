"""Runs seeds, in this process or in several, and adds their results up."""

import asyncio
import logging
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from random import Random

from cluster.config import ClusterConfig
from cluster.ports import Surroundings
from cluster.raft import library
from cluster.replica import Replica
from cluster.state_machine import StateMachine
from registry.catalog.commands import SCHEMA
from registry.duties import Duties
from tests.simulation.catalog_clients import CatalogWorkload, SimCatalog
from tests.simulation.clients import MakeMachine, MakeWorkload
from tests.simulation.lease_stage import LeaseStage
from tests.simulation.list_clients import ListWorkload
from tests.simulation.list_machine import ListMachine
from tests.simulation.profiles import Conditions, draw, draw_for_leases
from tests.simulation.versions import OLD
from tests.simulation.world import Result, World
from tests.support.sim_host import MakeReplica, ReplicaPort

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What the worlds of one workload are made of."""

    machine: MakeMachine
    workload: MakeWorkload
    replica: MakeReplica
    schema: int = OLD
    draw: Callable[..., Conditions] = draw


def _replica(
    config: ClusterConfig, machine: StateMachine, surroundings: Surroundings
) -> ReplicaPort:
    return Replica(config, machine, surroundings)


def lease_stage(make_duties: Callable[..., Duties] = Duties) -> Stage:
    """Make the stage of one run with duties; they may be broken ones."""
    parts = LeaseStage(make_duties)
    return Stage(parts.machine, parts.workload, parts.replica, SCHEMA, draw_for_leases)


WORKLOADS: dict[str, Callable[[], Stage]] = {
    "lists": lambda: Stage(ListMachine, ListWorkload, _replica),
    "catalog": lambda: Stage(SimCatalog, CatalogWorkload, _replica),
    "leases": lease_stage,
}


@dataclass(frozen=True, slots=True)
class Seed:
    """Everything that determines a run."""

    number: int
    profile: str = "mixed"
    nodes: int | None = None
    seconds: float = SECONDS
    workload: str = "lists"


def run_seed(
    seed: Seed,
    *,
    echo: Callable[[str], None] | None = None,
    stage: Stage | None = None,
) -> Result:
    """Run one seed of the real cluster code."""
    logging.disable(logging.CRITICAL)
    random = Random(f"{seed.number}/conditions")
    stage = stage or WORKLOADS[seed.workload]()
    conditions = stage.draw(
        seed.profile, random, nodes=seed.nodes, seconds=seed.seconds
    )
    library.install(
        lambda: asyncio.get_running_loop().time(), Random(f"{seed.number}/library")
    )
    world = World(
        seed.number,
        conditions,
        stage.replica,
        stage.machine,
        stage.workload,
        schema=stage.schema,
        echo=echo,
    )
    return world.run()


def run_seeds(seeds: list[Seed], *, jobs: int) -> Iterator[Result]:
    """Run many, as results come in; in processes of their own if ``jobs`` > 1."""
    if jobs == 1:
        yield from map(run_seed, seeds)
        return
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawning) as pool:
        yield from pool.map(run_seed, seeds, chunksize=2)


@dataclass(slots=True)
class Totals:
    """What many seeds came to."""

    counts: Counter[str]
    failures: list[Result]
    seeds: int = 0
    simulated_s: float = 0.0
    took_s: float = 0.0

    def add(self, result: Result) -> None:
        """Count one result."""
        self.counts.update(result.counts)
        self.seeds += 1
        self.simulated_s += result.simulated_s
        self.took_s += result.took_s
        if result.violation is not None:
            self.failures.append(result)
