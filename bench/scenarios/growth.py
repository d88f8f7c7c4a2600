"""From 1,000 to 100,000 instances: what each takes in memory, and what a read costs."""

from collections.abc import Sequence
from pathlib import Path

from bench.load.cores import ALL, LOAD, SERVER, pin
from bench.load.run import sample
from bench.load.spec import Load
from bench.load.stream import Stream
from bench.results import Figure, Outcome, Sample, figure, ratio
from bench.scenarios.elsewhere import left_out
from bench.scenarios.filling import fill, read
from bench.scenarios.stage import Stage
from tests.support.process_cluster import process_cluster
from tests.support.process_replica import ReplicaProcess

NAME = "growth"
WORKLOAD = (
    "One service of five instances is read over 64 connections, in turns at a replica "
    "that keeps 1,000 instances and at one that grows to 100,000; each instance has "
    "metadata and a lease. Memory is what the process of the growing one has taken "
    "since it was empty, its log and its caches in it."
)
COUNTS = (1_000, 3_000, 10_000, 30_000, 100_000)
QUICK_COUNTS = (100, 200, 400)
TURNS = 3
SECONDS = 2.0
QUICK_SECONDS = 0.3
QUIET = {"SERVICE_REGISTRY_LOG_LEVEL": "warning"}


def run(stage: Stage) -> Outcome:
    """Grow, and measure at each size."""
    if (outcome := left_out(stage, NAME, WORKLOAD)) is not None:
        return outcome
    counts = QUICK_COUNTS if stage.quick else COUNTS
    for name in ("small", "large"):
        (stage.folder / name).mkdir()
    with (
        process_cluster(stage.folder / "small", size=1, settings=_quiet) as small,
        process_cluster(stage.folder / "large", size=1, settings=_quiet) as large,
    ):
        still, growing = next(iter(small)), next(iter(large))
        empty_bytes = rss_bytes(growing.pid)
        fill([still.url], 0, counts[0])
        figures: list[Figure] = []
        samples: list[Sample] = []
        there = 0
        for count in counts:
            stage.tell(f"filling to {count:,} instances")
            pin([growing.pid, still.pid], ALL)
            fill([growing.url], there, count)
            pin([growing.pid, still.pid], [SERVER])
            there = count
            step = _Step(count, counts[0], [], [], [])
            for turn in range(1 if stage.quick else TURNS):
                stage.tell(f"reads at {count:,} instances, turn {turn + 1}")
                step.measure(growing, still, turn, empty_bytes, quick=stage.quick)
            samples += [*step.growing, *step.still]
            figures += step.figures(is_last=count == counts[-1])
    return Outcome(NAME, WORKLOAD, tuple(samples), tuple(figures), absent=())


def rss_bytes(pid: int) -> int:
    """Return the memory of a process that is not swapped out (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell VmRSS")


def _quiet(_: str) -> dict[str, str]:
    return QUIET


class _Step:
    """What was found at one size."""

    def __init__(
        self,
        count: int,
        least: int,
        growing: list[Sample],
        still: list[Sample],
        per_instance_kb: list[float],
    ) -> None:
        self.growing = growing
        self.still = still
        self._count = count
        self._least = least
        self._per_instance_kb = per_instance_kb

    def measure(
        self,
        growing: ReplicaProcess,
        still: ReplicaProcess,
        turn: int,
        empty_bytes: int,
        *,
        quick: bool,
    ) -> None:
        """Read at both, one after the other."""
        seconds = QUICK_SECONDS if quick else SECONDS
        for replica, kept, side in (
            (growing, self.growing, f"{self._count:,} instances"),
            (still, self.still, f"{self._least:,}, beside {self._count:,}"),
        ):
            load = Load(
                urls=(replica.url,),
                stream=Stream((read(0),)),
                connections=64,
                seconds=seconds,
                core=LOAD,
            )
            kept.append(sample(side, turn, load, [replica.pid]))
        taken_bytes = rss_bytes(growing.pid) - empty_bytes
        self._per_instance_kb.append(taken_bytes / self._count / 1e3)

    def figures(self, *, is_last: bool) -> list[Figure]:
        """Return the points of the curves; at the end, the ratio that is judged."""
        at = f"at {self._count:,} instances"
        growing, still = _cpus(self.growing), _cpus(self.still)
        found = [
            figure(
                f"memory per instance {at}",
                self._per_instance_kb,
                "kB",
                aim=1.2 if is_last else None,
                floor=2.0 if is_last else None,
                better="lower",
            ),
            figure(f"CPU per read {at}", growing, "us", better="lower"),
        ]
        if is_last:
            name = f"CPU per read {at} / at {self._least:,}"
            found.append(
                ratio(name, growing, still, aim=1.0, floor=1.1, better="lower")
            )
        return found


def _cpus(samples: Sequence[Sample]) -> list[float]:
    return [s.cpu_us_per_request for s in samples if s.cpu_us_per_request is not None]
