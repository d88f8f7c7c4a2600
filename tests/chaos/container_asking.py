"""What the tests of the bed of containers ask its replicas, and let them write."""

import time

from tests.chaos.bed import Bed
from tests.chaos.beds.containers import ContainerBed
from tests.support.process_duties import register

SERVICE = "kept"
"""What is written here must stay, whatever befalls the bed."""


def keep(bed: Bed, node_id: str) -> str:
    """Register something for good through a replica; return its id."""
    number = time.monotonic_ns()
    host = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return register(bed.url(node_id), SERVICE, host, 80, ttl_seconds=0)


def leads_among(bed: ContainerBed, node_ids: list[str]) -> bool:
    """Whether they agree that one of them leads."""
    named = {bed.nodes[node_id].state().get("leader") for node_id in node_ids}
    return len(named) == 1 and named <= set(node_ids)


def members(bed: ContainerBed, node_id: str) -> dict[str, bool]:
    """Return to whom a replica says that it is connected."""
    found = bed.nodes[node_id].state()["members"]
    assert isinstance(found, list)
    return {str(member["node_id"]): bool(member["connected"]) for member in found}
