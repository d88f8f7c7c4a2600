"""Instances that live: some by heartbeats, some by their checks; and what they did.

They outlive all other clients, and leave in an orderly way when nobody reads any more:
no list is ever read of which the truth is not on record.
"""

import time

from tests.chaos.evidence import DONE, Call, Life
from tests.chaos.workload.calls import NOT_THERE, Client, Instance
from tests.chaos.workload.web import BEAT_S, READ_S
from tests.support.small_service import SmallService

BEATING = "beating"
CHECKED = "checked"
LIVES = 5
"""Of each kind."""
BEATS_PER_TTL = 5
SILENT_RUNS = 1 / 3
"""In so many runs one of those that beat goes silent for good."""
SILENT_AFTER_TTLS = (1.0, 6.0)
MOODY = 2
"""So many of those that are checked fail at times."""
WELL_S = (5.0, 40.0)
ILL_S = (4.0, 25.0)
"""Some longer than it may take to show, some shorter."""
PASSES, FAILS = 200, 503
_TRY_AGAIN_S = 0.1


class Living:
    """One instance, from its registration to the end of the run."""

    def __init__(self, client: Client, instance: Instance) -> None:
        self._client = client
        self._instance = instance

    async def begin(self, event: str, **fields: object) -> bool:
        """Register until it is done; False if all is over before."""
        client = self._client
        at = client.random.randrange(len(client.replicas))
        while not self.is_over():
            replica = client.replicas[at % len(client.replicas)]
            call = await client.register(
                replica,
                self._instance,
                ttl_s=client.scene.ttl_s,
                deadline_s=READ_S,
                **fields,
            )
            if call.outcome == DONE:
                self.tell(event, call.returned_s)
                return True
            at += 1
            await self.rest(_TRY_AGAIN_S)
        return False

    def tell(self, event: str, at_s: float) -> None:
        """Record what becomes true of it now."""
        one = self._instance
        self._client.scene.recorder.add(
            Life(
                at_s=at_s,
                event=event,
                service=one.service,
                address=one.address,
                service_id=one.service_id,
            )
        )

    def is_over(self) -> bool:
        """Whether nobody reads any more."""
        return self._client.scene.are_all_gone

    async def rest(self, seconds: float) -> None:
        """Sleep so long, unless it is over before."""
        await self._client.rest(seconds, self.is_over)

    async def beat(self) -> Call:
        """Send one heartbeat; without an answer the next replica is asked at once."""
        client = self._client
        start = client.random.randrange(len(client.replicas))
        for replica in client.replicas[start:] + client.replicas[:start]:
            call = await client.heartbeat(replica, self._instance, deadline_s=BEAT_S)
            if call.outcome == DONE or call.code == NOT_THERE:
                break
        return call

    async def leave(self) -> None:
        """Deregister, if any replica does it; else it will expire."""
        for replica in self._client.replicas:
            call = await self._client.deregister(
                replica, self._instance, deadline_s=READ_S
            )
            if call.outcome == DONE or call.code == NOT_THERE:
                return


async def live_by_heartbeats(client: Client, number: int) -> None:
    """Beat five times per TTL, to any replica; one may go silent for good."""
    ttl_s = client.scene.ttl_s
    one = Instance(BEATING, f"{BEATING}:{number}", f"10.220.0.{number}", 80)
    living = Living(client, one)
    if not await living.begin("beats"):
        return
    until_s = float("inf")
    if number == 0 and client.random.random() < SILENT_RUNS:
        silent_after_s = client.random.uniform(*SILENT_AFTER_TTLS) * ttl_s
        until_s = time.monotonic() + silent_after_s
    beaten_s = time.monotonic()
    while not living.is_over():
        await living.rest(ttl_s / BEATS_PER_TTL)
        beaten_s = (await living.beat()).returned_s
        if beaten_s >= until_s:
            living.tell("silent", beaten_s)
            return
    living.tell("silent", beaten_s)
    await living.leave()


async def live_by_checks(client: Client, number: int, service: SmallService) -> None:
    """Never beat, and answer the checks; the moody fail them now and then."""
    one = Instance(CHECKED, f"{CHECKED}:{number}", service.host, service.port)
    living = Living(client, one)
    if not await living.begin("answers", health_endpoint="/health"):
        return
    while not living.is_over():
        await living.rest(client.random.uniform(*WELL_S))
        if number >= MOODY or living.is_over():
            continue
        service.status = FAILS
        living.tell("fails", time.monotonic())
        await living.rest(client.random.uniform(*ILL_S))
        if not living.is_over():
            service.status = PASSES
            living.tell("answers", time.monotonic())
    if service.status == PASSES:
        service.status = FAILS
        living.tell("fails", time.monotonic())
    await living.leave()
