"""Clients that contend for few ids: the histories that linearizability is judged by."""

from tests.chaos.workload.calls import Client, Instance

SERVICES = tuple(f"contended-{number}" for number in range(4))
CLIENTS = 3
IDS = 3
PAUSE_S = 0.5
OPS = ("list", "register", "deregister", "heartbeat")
WEIGHTS = (30, 28, 25, 17)


async def contend(client: Client, number: int) -> None:
    """Write and read at random, about twice a second."""
    service = SERVICES[number]
    instances = [
        Instance(service, f"{service}:{n}", f"10.200.{number}.{n}", 80)
        for n in range(IDS)
    ]
    while not client.is_over:
        (op,) = client.random.choices(OPS, WEIGHTS)
        replica, instance = client.any_replica(), client.random.choice(instances)
        if op == "list":
            await client.list(replica, service, is_consistent=True)
        elif op == "register":
            await client.register(replica, instance)
        elif op == "deregister":
            await client.deregister(replica, instance)
        else:
            await client.heartbeat(replica, instance)
        await client.rest(PAUSE_S * client.random.uniform(0.5, 1.5))
