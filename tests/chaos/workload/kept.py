"""The load: registrations that must all be there at the end, and some that leave."""

import time

from tests.chaos.evidence import DONE, REFUSED
from tests.chaos.workload.calls import NOT_THERE, Client, Instance

SERVICES = tuple(f"kept-{number}" for number in range(4))
PERIOD_S = 1 / 25
LEAVE_EACH = 3
MOST = 20
"""Of each client: beyond it, as many leave as come. Lists stay small in long runs."""


async def keep(client: Client, number: int) -> None:
    """Register one after the other; stay with a replica as long as it does its work."""
    service = SERVICES[number]
    own: list[Instance] = []
    registered = writes = 0
    at = number
    due_s = time.monotonic()
    while not client.is_over:
        writes += 1
        replica = client.replicas[at % len(client.replicas)]
        if own and (writes % LEAVE_EACH == 0 or len(own) > MOST):
            leaving = client.random.choice(own)
            call = await client.deregister(replica, leaving)
            # Whose fate is not known is left alone: what comes late must find no more.
            if call.outcome != REFUSED or call.code == NOT_THERE:
                own.remove(leaving)
        else:
            registered += 1
            coming = _instance(service, number, registered)
            call = await client.register(replica, coming)
            if call.outcome == DONE:
                own.append(coming)
        at += call.outcome != DONE
        # What was missed while waiting is not made up for.
        due_s = max(due_s + PERIOD_S, time.monotonic())
        await client.rest(due_s - time.monotonic())


def _instance(service: str, number: int, n: int) -> Instance:
    host = f"10.{number << 4 | n >> 16}.{n >> 8 & 255}.{n & 255}"
    return Instance(service, f"{service}:{n}", host, 80)
