"""What each replica says of itself, all the while; no answer leaves no record."""

import re
import time

import aiohttp
import msgspec

from tests.chaos.evidence import Look
from tests.chaos.workload.calls import Client
from tests.chaos.workload.web import READ_S, exchange

PERIOD_S = 0.5
_SAMPLE = re.compile(
    rb"^(process_resident_memory_bytes|process_open_fds|registry_tasks) (\S+)$", re.M
)


class _Cluster(msgspec.Struct):
    role: str
    term: int
    index: int
    leader: str | None = None


_decoder = msgspec.json.Decoder(_Cluster)


async def look_at(client: Client, replica: str) -> None:
    """Look at one replica, about twice a second."""
    while not client.is_over:
        cluster = await _get(client, replica, "/cluster")
        at_s = time.monotonic()
        metrics = await _get(client, replica, "/metrics")
        if cluster is not None and metrics is not None:
            client.scene.recorder.add(_look(at_s, replica, cluster, metrics))
        await client.rest(PERIOD_S)


def _look(at_s: float, replica: str, cluster: bytes, metrics: bytes) -> Look:
    state = _decoder.decode(cluster)
    figures = {name: int(float(value)) for name, value in _SAMPLE.findall(metrics)}
    return Look(
        at_s=at_s,
        replica=replica,
        role=state.role,
        leader=state.leader or "",
        term=state.term,
        index=state.index,
        memory_bytes=figures.get(b"process_resident_memory_bytes", 0),
        open_files=figures.get(b"process_open_fds", 0),
        tasks=figures.get(b"registry_tasks", 0),
    )


async def _get(client: Client, replica: str, path: str) -> bytes | None:
    url = client.scene.bed.url(replica) + path
    try:
        answer = await exchange(client.scene.session, "GET", url, deadline_s=READ_S)
    except (aiohttp.ClientError, TimeoutError):
        return None
    return answer.body if answer.status == 200 else None
