"""Clients that contend for few ids: the histories that linearizability is judged by.

The ids are others every minute: a write without an answer may come to pass at any later
time, and would excuse whatever befalls its id for the rest of the run.
"""

import time

from tests.chaos.workload.calls import Client, Instance

SERVICES = tuple(f"contended-{number}" for number in range(4))
CLIENTS = 3
IDS = 3
EPOCH_S = 60.0
PAUSE_S = 0.5
OPS = ("list", "register", "deregister", "heartbeat")
WEIGHTS = (30, 28, 25, 17)


async def contend(client: Client, number: int) -> None:
    """Write and read at random, about twice a second."""
    service = SERVICES[number]
    while not client.is_over:
        (op,) = client.random.choices(OPS, WEIGHTS)
        replica = client.any_replica()
        epoch = int((time.monotonic() - client.scene.began_s) / EPOCH_S)
        instance = _instance(number, epoch, client.random.randrange(IDS))
        if op == "list":
            await client.list(replica, service, is_consistent=True)
        elif op == "register":
            await client.register(replica, instance)
        elif op == "deregister":
            await client.deregister(replica, instance)
        else:
            await client.heartbeat(replica, instance)
        await client.rest(PAUSE_S * client.random.uniform(0.5, 1.5))


def _instance(number: int, epoch: int, n: int) -> Instance:
    service = SERVICES[number]
    host = f"10.{200 + number}.{epoch >> 8}.{epoch & 255}"
    return Instance(service, f"{service}:{epoch}.{n}", host, 80 + n)
