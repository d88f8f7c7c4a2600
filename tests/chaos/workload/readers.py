"""Clients that only read: what a restarting or lagging replica tells shows here."""

import time

from tests.chaos.workload import kept, lives, sessions
from tests.chaos.workload.calls import Client

SERVICES = (lives.BEATING, lives.CHECKED, *kept.SERVICES, *sessions.SERVICES)
PERIOD_S = 1 / 50
MOVING_SERVICE = "kept-0"
MOVING_PERIOD_S = 1 / 20


async def read_at(client: Client, replica: str) -> None:
    """Read the services in turn at one replica, whatever befalls it."""
    due_s = time.monotonic()
    number = 0
    while not client.is_over:
        await client.list(replica, SERVICES[number % len(SERVICES)])
        number += 1
        due_s = max(due_s + PERIOD_S, time.monotonic())
        await client.rest(due_s - time.monotonic())


async def read_moving(client: Client) -> None:
    """Read at any replica, but never anything older than what was seen before."""
    seen = 0
    while not client.is_over:
        call = await client.list(client.any_replica(), MOVING_SERVICE, min_index=seen)
        seen = max(seen, call.index)
        await client.rest(MOVING_PERIOD_S)
