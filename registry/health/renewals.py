"""Passing checks as proofs of life: gathered into Renew commands by the leader.

At most once per third of the lease, less one interval: where the next probe would be
too late, this one counts. So the proof in the log is never older than a third of the
lease or one interval, and a new leader, whose first probe comes within an interval, is
always in time (a checked lease is longer than a whole verdict).
"""

import asyncio
from itertools import islice

from registry.catalog.commands import Renew
from registry.errors import RegistryError
from registry.health.watched import Watched
from registry.ports import Clock
from registry.proposals import Proposals

EACH_S = 0.25
MOST_IDS = 200
DEADLINE_S = 5.0
AT_ONCE = 16
"""Commands under way; more wait as ids, one for each instance at most."""


class CheckRenewals:
    """Renews the leases of instances that pass."""

    def __init__(self, proposals: Proposals, clock: Clock) -> None:
        self._proposals = proposals
        self._clock = clock
        self._waiting: dict[Watched, None] = {}
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)

    def passed(self, watched: Watched) -> None:
        """Take a proof of life; it goes into the log if the last one is old."""
        plan = watched.plan
        if plan.lease_s == 0 or watched.judgement.is_expired:
            return  # Permanent, or to be brought back by its status.
        now_s = self._clock.now_s()
        watched.has_passed_since = True
        if now_s >= watched.renew_after_s:
            watched.renew_after_s = now_s + plan.lease_s / 3 - plan.interval_s
            self._put(watched)

    def failed(self, watched: Watched) -> None:
        """Put the last proof of life into the log, if it is not: the last for now."""
        if watched.has_passed_since and not watched.judgement.is_expired:
            self._put(watched)

    async def run(self) -> None:
        """Propose until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                await asyncio.sleep(EACH_S)
                self._wake.clear()
                while self._waiting:
                    await self._room.acquire()
                    batch = list(islice(self._waiting, MOST_IDS))
                    for watched in batch:
                        del self._waiting[watched]
                    group.create_task(self._propose(batch))

    def _put(self, watched: Watched) -> None:
        watched.has_passed_since = False
        self._waiting[watched] = None
        self._wake.set()

    async def _propose(self, batch: list[Watched]) -> None:
        command = Renew(
            service_ids=tuple([watched.service_id for watched in batch]),
            at_ms=self._clock.wall_ms(),
            by_check=True,
        )
        deadline_s = self._clock.now_s() + DEADLINE_S
        try:
            await self._proposals.propose(command, deadline_s=deadline_s)
        except RegistryError:
            for watched in batch:  # The next proof of life is not to be spared.
                watched.renew_after_s = 0.0
                watched.has_passed_since = True
        finally:
            self._room.release()
