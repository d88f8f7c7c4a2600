"""Clients that read their own writes at another replica."""

from tests.chaos.evidence import DONE
from tests.chaos.workload.calls import Client, Instance

SERVICES = tuple(f"session-{number}" for number in range(2))
PAUSE_S = 0.2


async def read_own_writes(client: Client, number: int) -> None:
    """Register, look elsewhere, deregister, look elsewhere; each id is used once."""
    service = SERVICES[number]
    n = 0
    while not client.is_over:
        n += 1
        host = f"10.{210 + number}.{n >> 8 & 255}.{n & 255}"
        one = Instance(service, f"{service}:{n}", host, 80)
        replica = client.any_replica()
        came = await client.register(replica, one)
        if came.outcome == DONE and not client.is_over:
            elsewhere = client.any_replica(but=replica)
            await client.list(elsewhere, service, min_index=came.index)
            await client.rest(PAUSE_S)
        if came.outcome == DONE and not client.is_over:
            replica = client.any_replica()
            left = await client.deregister(replica, one)
            if left.outcome == DONE and not client.is_over:
                elsewhere = client.any_replica(but=replica)
                await client.list(elsewhere, service, min_index=left.index)
        await client.rest(PAUSE_S)
