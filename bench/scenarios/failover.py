"""Kills of the leader: how long until a write is acknowledged by those that remain."""

import time
from collections.abc import Sequence

from bench.figures import percentile
from bench.peers.peer import NotHere
from bench.results import Figure, Outcome, Sample, figure
from bench.scenarios.elsewhere import left_out
from bench.scenarios.etcd_failover import etcd_gap_s
from bench.scenarios.kills import first_write_s
from bench.scenarios.stage import Stage
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_load import Load

NAME = "failover"
WORKLOAD = (
    "The leader of three durable replicas is killed (SIGKILL) while each of the two "
    "others gets 100 registrations a second, and started again; measured is the time "
    "from the kill to the first registration that one of the two acknowledges to a "
    "client that asks both in turn. The same is done to etcd with its defaults, each "
    "time to three new members."
)
KILLS = 30
QUICK_KILLS = 2
OF_ETCD = 10
"""As many of the turns are etcd's as well."""
WRITES_PER_S = 200.0
WRITERS = 4
BEFORE_S = 1.0
AFTER_S = 2.0
STEP_S = 0.1
"""Of the throughput over time: an election takes about one."""
PROBE = {"name": "probe", "host": "10.0.0.1", "port": 80, "ttl_seconds": 0}
WARM = 10
"""Acknowledged writes, before anything is counted."""


def run(stage: Stage) -> Outcome:
    """Kill, wait for a write, start again."""
    if (outcome := left_out(stage, NAME, WORKLOAD)) is not None:
        return outcome
    gaps_s: list[float] = []
    samples: list[Sample] = []
    of_etcd = _Etcd(stage)
    quiet = {"SERVICE_REGISTRY_LOG_LEVEL": "warning"}
    folder = stage.folder / "ours"
    folder.mkdir()
    with process_cluster(folder, settings=lambda _: quiet) as cluster:
        for turn in range(QUICK_KILLS if stage.quick else KILLS):
            stage.tell(f"kill {turn + 1}")
            gap_s, sample = _kill(cluster, turn)
            gaps_s.append(gap_s)
            samples.append(sample)
            cluster.start()
            cluster.wait_caught_up()
            if turn < OF_ETCD:
                of_etcd.kill(turn)
    count = f"{len(gaps_s)} kills"
    p90_s, longest_s = percentile(gaps_s, 0.9), max(gaps_s)
    figures = (
        figure(
            "kill of the leader to the first write, p50",
            gaps_s,
            "s",
            aim=0.35,
            floor=0.5,
            better="lower",
        ),
        figure(f"the same, p90 of {count}", [p90_s], "s", better="lower"),
        figure(f"the same, longest of {count}", [longest_s], "s", better="lower"),
        *of_etcd.figures(),
    )
    return Outcome(NAME, WORKLOAD, tuple(samples), figures, tuple(of_etcd.absent))


class _Etcd:
    """What etcd took, if it is here."""

    def __init__(self, stage: Stage) -> None:
        self.absent: list[str] = []
        self._stage = stage
        self._gaps_s: list[float] = []

    def kill(self, turn: int) -> None:
        """Kill the leader of three new members; nothing more if etcd is not here."""
        if self.absent:
            return
        self._stage.tell(f"kill {turn + 1} of etcd")
        folder = self._stage.folder / f"etcd-{turn}"
        try:
            self._gaps_s.append(etcd_gap_s(folder, self._stage.peers))
        except NotHere as error:
            self.absent.append(str(error))

    def figures(self) -> list[Figure]:
        """Return the median; nothing if it was not here."""
        if not self._gaps_s:
            return []
        return [figure("the same of etcd, p50", self._gaps_s, "s", better="lower")]


def rates(times_s: Sequence[float], *, from_s: float, to_s: float) -> tuple[float, ...]:
    """Return how many of the times there are per second, in steps of STEP_S."""
    counts = [0] * round((to_s - from_s) / STEP_S)
    for at_s in times_s:
        step = int((at_s - from_s) // STEP_S)
        if 0 <= step < len(counts):
            counts[step] += 1
    return tuple(count / STEP_S for count in counts)


def _kill(cluster: ProcessCluster, turn: int) -> tuple[float, Sample]:
    """Kill the leader under load; return the time to a write, and the turn."""
    leader = cluster.leader()
    urls = [replica.url for replica in cluster.others(leader)]
    with Load(urls, per_s=WRITES_PER_S, writers=WRITERS) as load:
        load.wait_acknowledged(WARM)
        time.sleep(BEFORE_S)  # how it was before is part of what is shown
        killed_s = time.monotonic()
        leader.kill()
        gap_s = first_write_s(urls, "/register", PROBE) - killed_s
        time.sleep(max(0.0, killed_s + AFTER_S - time.monotonic()))
    shown = rates(
        load.acknowledged_s, from_s=killed_s - BEFORE_S, to_s=killed_s + AFTER_S
    )
    sample = Sample(
        side="registrations acknowledged, the kill at 1 s",
        turn=turn,
        requests=len(load.acknowledged_s),
        errors=len(load.failures),
        seconds=BEFORE_S + AFTER_S,
        cpu_us_per_request=None,
        latency_us={},
        rate_by_second=shown,
        step_s=STEP_S,
    )
    return gap_s, sample
