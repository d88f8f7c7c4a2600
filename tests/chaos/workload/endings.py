"""What each replica knows when all is healed: asked until all say the same."""

import time
from collections.abc import Collection

import msgspec

from tests.chaos.evidence import Ending, Recorder
from tests.chaos.workload.calls import Asked
from tests.support.process_http import try_ask

DEADLINE_S = 30.0
ANSWER_S = 6.0
"""The registry waits up to 5 s for an index."""
LOOK_EVERY_S = 0.2


class _Instance(msgspec.Struct):
    service_id: str
    host: str
    port: int
    status: str


class _Listing(msgspec.Struct):
    instances: list[_Instance]


class _Change(msgspec.Struct, rename={"before": "from", "after": "to"}):
    service_id: str
    before: str
    after: str
    cause: str


class _History(msgspec.Struct):
    history: list[_Change]


class _Cluster(msgspec.Struct):
    index: int


def record_endings(
    bed: Asked,
    recorder: Recorder,
    *,
    services: Collection[str],
    deadline_s: float = DEADLINE_S,
) -> None:
    """Record one ending of each replica, when all are equal or the deadline is over.

    One that does not answer has an ending of index 0 that knows nothing.
    """
    end_s = time.monotonic() + deadline_s
    endings = _endings(bed, services)
    while not _are_equal(endings) and time.monotonic() < end_s:
        time.sleep(LOOK_EVERY_S)
        endings = _endings(bed, services)
    for ending in endings:
        recorder.add(ending)


def _are_equal(endings: Collection[Ending]) -> bool:
    first, *others = (
        msgspec.structs.replace(ending, at_s=0.0, replica="") for ending in endings
    )
    return first.index > 0 and all(other == first for other in others)


def _endings(bed: Asked, services: Collection[str]) -> list[Ending]:
    """Ask all for all that the furthest of them has applied."""
    index = max(_index(bed.url(node_id)) for node_id in bed.node_ids)
    return [_ending(bed, node_id, services, index) for node_id in bed.node_ids]


def _ending(bed: Asked, node_id: str, services: Collection[str], index: int) -> Ending:
    url = bed.url(node_id)
    listed = {}
    changes = {}
    known = 0
    for service in services:
        listing = _get(url, f"/services/{service}?status=all&min_index={index}")
        history = _get(url, f"/services/{service}/history?min_index={index}")
        if listing is None or history is None:
            break
        listed[service] = tuple(
            sorted(
                (one.service_id, f"{one.host}:{one.port}", one.status)
                for one in msgspec.json.decode(listing, type=_Listing).instances
            )
        )
        changes[service] = tuple(
            (line.service_id, line.before, line.after, line.cause)
            for line in msgspec.json.decode(history, type=_History).history[::-1]
        )
    else:
        known = _index(url)
    if not known:
        listed, changes = {}, {}
    return Ending(
        at_s=time.monotonic(),
        replica=node_id,
        index=known,
        listed=listed,
        changes=changes,
    )


def _index(url: str) -> int:
    body = _get(url, "/cluster")
    return 0 if body is None else msgspec.json.decode(body, type=_Cluster).index


def _get(url: str, path: str) -> bytes | None:
    reply = try_ask(url, path, timeout_s=ANSWER_S)
    return reply.body if reply is not None and reply.status == 200 else None
