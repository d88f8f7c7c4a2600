"""``python -m tests.simulation.careless NAME SEEDS``: duties with one mistake in them.

Each is a mistake that somebody could make, and that no unit test of a single part would
show. Runs until the judge of leases has found it.
"""

import os
import sys
from collections.abc import Callable

from registry.catalog.records import Lease
from registry.health.renewals import CheckRenewals
from registry.health.second_opinion import SecondOpinion
from registry.health.watched import Watched
from registry.leases.clock import LeaseClock
from registry.leases.watch import LeaseWatch
from tests.simulation.seeds import Seed, run_seed

SECONDS = 20.0


def _replace(owner: type, name: str, mistake: Callable[..., object]) -> None:
    assert hasattr(owner, name), f"{owner.__name__} has no {name} to be wrong in"
    setattr(owner, name, mistake)


def _forgets_renewals() -> None:
    """A keeper that counts from the registration, and trusts that it is refused."""

    def ends_s(self: LeaseWatch, lease: Lease, lasts_s: float) -> float:
        return self._stamps.at(lease.registration.generation >> 8) + lasts_s

    _replace(LeaseWatch, "_ends_s", ends_s)


def _counts_stalls() -> None:
    """A pulse for which all time counts, whether proofs could be taken or not."""

    def read(_: LeaseClock, now_s: float) -> float:
        return now_s

    _replace(LeaseClock, "read", read)
    _replace(LeaseClock, "sure", read)


def _asks_nobody() -> None:
    """A monitor that believes its own probes alone."""

    def ask(self: SecondOpinion, watched: Watched) -> None:
        self._judge.decided(watched, failed=("me",), dead=True)

    _replace(SecondOpinion, "ask", ask)


def _checks_prove_nothing() -> None:
    """A monitor for which a passing check is no proof of life."""

    def passed(_: CheckRenewals, watched: Watched) -> None:
        """Forget it."""

    _replace(CheckRenewals, "passed", passed)


MISTAKES: dict[str, Callable[[], None]] = {
    "forgets-renewals": _forgets_renewals,
    "counts-stalls": _counts_stalls,
    "asks-nobody": _asks_nobody,
    "checks-prove-nothing": _checks_prove_nothing,
}


def main(arguments: list[str]) -> int:
    """Make the mistake; 0 if a seed shows it."""
    name, seeds = arguments[0], int(arguments[1])
    MISTAKES[name]()
    for number in range(seeds):
        seed = Seed(number, seconds=SECONDS, nodes=3, workload="leases")
        violation = run_seed(seed).violation
        sys.stdout.write(f"seed {number}: {violation or 'nothing found'}\n")
        if violation is not None:
            sys.stdout.write(f"found by seed {number}\n")
            return 0
    return 1


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(
            sys.executable,
            [sys.executable, "-m", "tests.simulation.careless", *sys.argv[1:]],
        )
    sys.exit(main(sys.argv[1:]))
