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
from tests.simulation.catalog_clients import CatalogWorkload, SimCatalog
from tests.simulation.clients import MakeMachine, MakeWorkload
from tests.simulation.list_clients import ListWorkload
from tests.simulation.list_machine import ListMachine
from tests.simulation.profiles import draw
from tests.simulation.world import Result, World
from tests.support.sim_host import ReplicaPort

SECONDS = 30.0

WORKLOADS: dict[str, tuple[MakeMachine, MakeWorkload]] = {
    "lists": (ListMachine, ListWorkload),
    "catalog": (SimCatalog, CatalogWorkload),
}


@dataclass(frozen=True, slots=True)
class Seed:
    """Everything that determines a run."""

    number: int
    profile: str = "mixed"
    nodes: int | None = None
    seconds: float = SECONDS
    workload: str = "lists"


def run_seed(seed: Seed, *, echo: Callable[[str], None] | None = None) -> Result:
    """Run one seed of the real cluster code."""
    logging.disable(logging.CRITICAL)
    random = Random(f"{seed.number}/conditions")
    conditions = draw(seed.profile, random, nodes=seed.nodes, seconds=seed.seconds)
    library.install(
        lambda: asyncio.get_running_loop().time(), Random(f"{seed.number}/library")
    )
    make_machine, make_workload = WORKLOADS[seed.workload]
    world = World(
        seed.number, conditions, _replica, make_machine, make_workload, echo=echo
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


def _replica(
    config: ClusterConfig, machine: StateMachine, surroundings: Surroundings
) -> ReplicaPort:
    return Replica(config, machine, surroundings)
