"""What tests of a bed ask of its replicas, whatever the bed is made of."""

import time
from collections.abc import Iterable

from tests.chaos.bed import Bed
from tests.support.process_http import Reply, ask
from tests.support.process_load import Load
from tests.support.waiting import wait_until

TRIED = "10.9.9.9"
BODY = {"name": "tried", "host": TRIED, "port": 80, "ttl_seconds": 0}


def leader_of(bed: Bed) -> str:
    """Wait until there is one that all agree on."""
    wait_until(lambda: bed.leader() is not None, "a leader")
    leader = bed.leader()
    assert leader is not None
    return leader


def others(bed: Bed, but: str) -> list[str]:
    """Return all replicas but this one."""
    return [node_id for node_id in bed.node_ids if node_id != but]


def urls(bed: Bed, node_ids: Iterable[str]) -> list[str]:
    """Return where those answer."""
    return [bed.url(node_id) for node_id in node_ids]


def write(bed: Bed, node_id: str) -> Reply:
    """Try to register TRIED."""
    return ask(bed.url(node_id), "/register", method="POST", body=BODY)


def fastest_write_s(bed: Bed, node_id: str) -> float:
    """Return how long the fastest of some writes took."""
    took_s = []
    for _ in range(4):
        began_s = time.monotonic()
        assert write(bed, node_id).status == 200
        took_s.append(time.monotonic() - began_s)
    return min(took_s)


def hears(bed: Bed, node_id: str, leader: str) -> bool:
    """Whether it comes to know, soon, of a write that is made at the leader."""
    written = write(bed, leader)
    assert written.status == 200
    path = f"/services?limit=1&min_index={written.index}"
    return ask(bed.url(node_id), path).status == 200


def judge(load: Load, bed: Bed) -> None:
    """All come back, and all that the load was told is true there."""
    bed.wait_ready(deadline_s=15.0)
    for node_id in bed.node_ids:
        load.verify(bed.url(node_id))
