"""`python -m bench [WHAT …] [--quick]`: measures, and prints a table with targets."""

import argparse
import tempfile
from pathlib import Path

from bench import (
    batched,
    checked,
    checks,
    commit,
    figures,
    http,
    leases,
    probes,
    restart,
    stall,
)

MEASUREMENTS: dict[str, figures.Measure] = {
    "commit": commit.measure,
    "batched": batched.measure,
    "restart": restart.measure,
    "stall": stall.measure,
    "http": http.measure,
    "probes": probes.measure,
    "checks": checks.measure,
    "checked": checked.measure,
    "leases": leases.measure,
}


def main(arguments: list[str] | None = None) -> list[figures.Figure]:
    """Run the measurements that are named, or all; return what they found."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help=f"of {', '.join(MEASUREMENTS)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny numbers, to see that it runs"
    )
    parser.add_argument(
        "--folder", type=Path, help="where data is written: the disk to be measured"
    )
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.what) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    size = figures.QUICK if chosen.quick else figures.FULL
    found: list[figures.Figure] = []
    print(figures.machine())
    for name in chosen.what or MEASUREMENTS:
        print(f"{name} …", flush=True)
        with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="bench-") as folder:
            found += MEASUREMENTS[name](size, Path(folder))
    print(figures.table(found))
    return found


if __name__ == "__main__":
    main()
