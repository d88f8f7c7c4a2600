"""``python -m tests.simulation.run``: many seeds, or one again with its whole story."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.simulation.profiles import PROFILES
from tests.simulation.seeds import SECONDS, WORKLOADS, Seed, Totals, run_seed, run_seeds
from tests.simulation.world import Result

SHOWN_FAILURES = 3


def main(arguments: list[str]) -> int:
    """Run the seeds that were asked for; 1 if any of them broke a promise."""
    asked = _parse(arguments)
    seeds = [
        Seed(number, asked.profile, asked.nodes, asked.seconds, asked.workload)
        for number in range(asked.start, asked.start + asked.seeds)
    ]
    began_s = time.monotonic()
    totals = Totals(Counter(), [])
    for result in _results(seeds, jobs=asked.jobs, verbose=asked.verbose):
        totals.add(result)
        if asked.digest:
            print(f"{result.seed} {result.digest} {result.profile}")
        if result.violation is not None:
            if len(totals.failures) <= SHOWN_FAILURES:
                _show_failure(result, asked)
            else:
                print(f"seed {result.seed}: {result.violation}")
    _show_totals(totals, wall_s=time.monotonic() - began_s)
    return 1 if totals.failures else 0


def _results(seeds: list[Seed], *, jobs: int, verbose: bool) -> Iterator[Result]:
    if verbose:
        return (run_seed(seed, echo=print) for seed in seeds)
    return run_seeds(seeds, jobs=jobs)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.run")
    add = parser.add_argument
    add("--seeds", type=int, default=20, help="how many (default 20)")
    add("--start", type=int, default=0, help="the first one")
    add("--nodes", type=int, choices=(1, 3, 5), help="default: drawn from the seed")
    add("--jobs", type=int, default=1, help="processes")
    add("--seconds", type=float, default=SECONDS, help="of faults, in virtual time")
    add("--profile", default="mixed", choices=("mixed", *PROFILES))
    add("--workload", default="lists", choices=tuple(WORKLOADS))
    add("--digest", action="store_true", help="print each seed's fingerprint")
    add("--verbose", action="store_true", help="tell the story while it happens")
    return parser.parse_args(arguments)


def _show_failure(result: Result, asked: argparse.Namespace) -> None:
    nodes = f" --nodes {asked.nodes}" if asked.nodes else ""
    print(f"\nseed {result.seed} ({result.profile}, {result.nodes} nodes):")
    print("\n".join(f"  {line}" for line in result.timeline))
    print(f"  {result.violation}")
    print(
        f"  again: python -m tests.simulation.run --seeds 1 --start {result.seed}"
        f" --profile {asked.profile}{nodes}"
        f" --workload {asked.workload} --seconds {asked.seconds:g} --verbose\n"
    )


def _show_totals(totals: Totals, *, wall_s: float) -> None:
    for name, count in sorted(totals.counts.items()):
        print(f"  {name:32} {count:10,}")
    speed = totals.simulated_s / max(totals.took_s, 1e-9)
    print(
        f"{totals.seeds} seeds, {totals.simulated_s:,.0f} simulated seconds in "
        f"{wall_s:.1f} s ({speed:.0f} per second of processor time), "
        f"{totals.counts['acknowledged']:,} acknowledged, "
        f"{len(totals.failures)} violations"
    )


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets must have one order, too
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(
            sys.executable,
            [sys.executable, "-m", "tests.simulation.run", *sys.argv[1:]],
        )
    sys.exit(main(sys.argv[1:]))
