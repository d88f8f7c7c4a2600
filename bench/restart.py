"""How long a replica with a full catalog takes from its start to being ready."""

import os
import signal
import time
from itertools import islice
from pathlib import Path

import uvloop

from bench import client, registrations
from bench.figures import Figure, Size, at_most
from tests.support.process_cluster import process_cluster
from tests.support.process_http import metric
from tests.support.process_replica import ReplicaProcess
from tests.support.waiting import wait_until

READY_S = 5.0
DEADLINE_S = 60.0


def measure(size: Size, folder: Path) -> list[Figure]:
    """Kill and restart a follower, then all three."""
    with process_cluster(folder) as cluster:
        wanted = islice(registrations.requests(), size.registrations)
        began_s = time.monotonic()
        uvloop.run(client.run(cluster.urls, wanted, connections=size.connections))
        filled_s = time.monotonic() - began_s
        cluster.wait_caught_up()
        follower = cluster.others(cluster.leader())[0]
        log_bytes = sum(f.stat().st_size for f in (folder / "a").glob("wal-*"))
        follower.kill()
        one_s = _ready_after_s([follower])
        for replica in cluster:
            os.kill(replica.pid, signal.SIGKILL)
        for replica in cluster:
            replica.wait()
        all_s = _ready_after_s(list(cluster))
        counted = metric(follower.url, "registry_services_total")
        if counted != size.registrations:
            raise RuntimeError(f"{counted} of {size.registrations} are there")
    what = f"{size.registrations:,} registrations"
    return [
        at_most(f"restart of one, {what}", one_s, READY_S, "s"),
        at_most(f"restart of all three at once, {what}", all_s, READY_S, "s"),
        Figure("log read at the restart", f"{log_bytes / 1e6:.0f} MB"),
        Figure("filling it over HTTP", f"{size.registrations / filled_s:,.0f} /s"),
    ]


def _ready_after_s(replicas: list[ReplicaProcess]) -> float:
    began_s = time.monotonic()
    for replica in replicas:
        replica.start()
    for replica in replicas:
        wait_until(lambda r=replica: r.is_ready, "ready", deadline_s=DEADLINE_S)  # type: ignore[misc]
    return time.monotonic() - began_s
