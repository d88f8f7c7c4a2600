"""``python -m tests.simulation.unrepaired SEEDS [power]``: the library as released.

Without ``power`` no power is cut (it syncs nothing, so that would be too easy): what
is found then are faults of its protocol.
"""

import asyncio
import logging
import os
import sys
from dataclasses import replace
from random import Random

from pysyncobj import syncobj as library

from tests.simulation.list_clients import ListWorkload
from tests.simulation.list_machine import ListMachine
from tests.simulation.profiles import KILLS, NETWORK, PAUSES, POWER, draw
from tests.simulation.released import ReleasedReplica
from tests.simulation.world import Result, World
from tests.support.sim_network import Weather

SECONDS = 30.0
LATENCIES_S = ((0.0005, 0.005), (0.005, 0.05), (0.03, 0.15), (0.05, 0.2))


class _NoPoller:
    """The simulation does all waiting."""

    def __init__(self, _: object = None) -> None:
        """Ignore the kind of poller."""

    def subscribe(self, *_: object) -> None:
        """Ignore."""

    def unsubscribe(self, *_: object) -> None:
        """Ignore."""

    def poll(self, _: float) -> None:
        """Return at once."""


def run_seed(number: int, *, power: bool) -> Result:
    """Run one seed without disk faults and wiped disks."""
    logging.disable(logging.CRITICAL)
    random = Random(f"{number}/conditions")
    drawn = draw("lan", random, nodes=3, seconds=SECONDS)
    conditions = replace(
        drawn,
        faults={**KILLS, **PAUSES, **NETWORK, **(POWER if power else {})},
        fault_gap_s=(0.2, 4.0),
        weather=Weather(latency_s=random.choice(LATENCIES_S)),
        timing=replace(drawn.timing, election_min_s=0.4, election_max_s=1.2),
        faults_from_the_start=False,
        # Enough to be one again after any fault, so that a run ends by a verdict.
        settle_s=60.0,
    )
    library.monotonicTime = lambda: asyncio.get_running_loop().time()
    library.random = Random(f"{number}/library")
    library.createPoller = _NoPoller
    library.PIPE_NOTIFIER_ENABLED = False
    world = World(number, conditions, ReleasedReplica, ListMachine, ListWorkload)
    world.judge.compares_lives = False
    return world.run()


def main(arguments: list[str]) -> int:
    """Print each seed's verdict; 0 if at least one seed broke a promise."""
    found = 0
    for number in range(int(arguments[0])):
        result = run_seed(number, power="power" in arguments)
        found += result.violation is not None
        verdict = result.violation or "nothing found"
        acknowledged = result.counts.get("acknowledged", 0)
        sys.stdout.write(f"seed {number}: {verdict} ({acknowledged} acknowledged)\n")
    sys.stdout.write(f"{found} of {arguments[0]} seeds break a promise\n")
    return 0 if found else 1


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(
            sys.executable,
            [sys.executable, "-m", "tests.simulation.unrepaired", *sys.argv[1:]],
        )
    sys.exit(main(sys.argv[1:]))
