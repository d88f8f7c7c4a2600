"""A replica comes back to a full catalog: after a kill, and with a wiped disk."""

import shutil
import time
from pathlib import Path

from bench import figures, stall
from bench.results import Figure, Outcome, figure
from bench.scenarios import measured
from bench.scenarios.elsewhere import left_out
from bench.scenarios.filling import fill
from bench.scenarios.stage import Stage
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_replica import ReplicaProcess
from tests.support.waiting import wait_until

NAME = "recovery"
WORKLOAD = (
    "Three durable replicas hold 100,000 instances. One that follows is killed and "
    "started again, then killed, wiped and started; the time runs from the start of "
    "the process until it is ready and has applied all that the others had. Beside it, "
    "in one process: the longest callback of the loop while snapshots of as many are "
    "made and read."
)
COUNT = 100_000
QUICK_COUNT = 300
TURNS = 3
DEADLINE_S = 120.0
LOOK_S = 0.01


def run(stage: Stage) -> Outcome:
    """Fill, then kill and wipe in turns."""
    if (outcome := left_out(stage, NAME, WORKLOAD)) is not None:
        return outcome
    count = QUICK_COUNT if stage.quick else COUNT
    restarts_s: list[float] = []
    catch_ups_s: list[float] = []
    quiet = {"SERVICE_REGISTRY_LOG_LEVEL": "warning"}
    folder = stage.folder / "cluster"
    folder.mkdir()
    with process_cluster(folder, settings=lambda _: quiet) as cluster:
        stage.tell(f"filling to {count:,} instances")
        fill(cluster.urls, 0, count)
        cluster.wait_caught_up()
        for turn in range(1 if stage.quick else TURNS):
            stage.tell(f"restart, turn {turn + 1}")
            follower = cluster.others(cluster.leader())[0]
            follower.kill()
            restarts_s.append(_back_after_s(cluster, follower))
            stage.tell(f"catch-up of a wiped one, turn {turn + 1}")
            follower.kill()
            data = Path(follower.settings["SERVICE_REGISTRY_DATA_DIR"])
            shutil.rmtree(data)
            catch_ups_s.append(_back_after_s(cluster, follower))
    what = f"{count:,} instances"
    found = (
        figure(f"restart, {what}", restarts_s, "s", floor=3.0, better="lower"),
        figure(
            f"catch-up of a wiped replica, {what}",
            catch_ups_s,
            "s",
            floor=5.0,
            better="lower",
        ),
        *_stall(stage),
    )
    return Outcome(NAME, WORKLOAD, samples=(), figures=found, absent=())


def _back_after_s(cluster: ProcessCluster, replica: ReplicaProcess) -> float:
    """Start a replica; return how long until it is ready and holds what others do."""
    wanted = max(_applied(other) for other in cluster.others(replica))
    began_s = time.monotonic()
    replica.start()
    wait_until(lambda: replica.is_ready, "a ready replica", deadline_s=DEADLINE_S)
    wait_until(
        lambda: _applied(replica) >= wanted, "all applied", deadline_s=DEADLINE_S
    )
    took_s = time.monotonic() - began_s
    cluster.wait_ready()
    return took_s


def _applied(replica: ReplicaProcess) -> int:
    return int(str(replica.state().get("index", 0)))


def _stall(stage: Stage) -> tuple[Figure, ...]:
    stage.tell("longest callback while snapshots are made and read")
    folder = stage.folder / "stall"
    folder.mkdir()
    size = figures.QUICK if stage.quick else figures.FULL
    found = stall.measure(size, folder)
    return measured.outcome(NAME, WORKLOAD, [found]).figures
