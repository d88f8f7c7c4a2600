"""Correlated expiry: when many leases run out at once, the path is suspected first.

More than half of all that live by heartbeats alone, and five at least, have a third of
their time left or less: rather a broken network than so many dead services. Each of
them then gets one more lease time; the hold ends when most are back.
"""

import asyncio
from collections.abc import Callable

import structlog

from registry.leases.watch import LeaseWatch
from registry.model import ServiceId
from registry.ports import DutyObserver

CHECK_EACH_S = 1.0
AT_ONE_TURN = 500

log = structlog.get_logger()


class Hold:
    """Begins and ends the hold of one leadership."""

    def __init__(
        self, leases: LeaseWatch, observer: DutyObserver, now_s: Callable[[], float]
    ) -> None:
        self._leases = leases
        self._observer = observer
        self._now_s = now_s

    async def begins(self, due: list[ServiceId]) -> bool:
        """Whether what is due must be held back from now on."""
        leases = self._leases
        if leases.is_holding or not leases.share().is_suspicious:
            return False
        if not any(map(leases.is_heartbeat_only, due)):
            return False
        await self._each_at_risk(leases.refresh)
        if not leases.share().is_suspicious:
            return False
        leases.is_holding = True
        self._observer.observe_hold()
        log.warning(
            "Evictions held back: many leases run out at once",
            at_risk=leases.share().at_risk,
        )
        return True

    async def judge(self) -> None:
        """End a hold once the heartbeats are back; what did not come back then goes."""
        leases = self._leases
        while True:
            await asyncio.sleep(CHECK_EACH_S)
            if not leases.is_holding:
                continue
            await self._each_at_risk(leases.refresh)
            if not leases.share().is_suspicious:
                leases.is_holding = False
                log.info("Evictions no longer held back")
                await self._each_at_risk(leases.enter)

    async def _each_at_risk(self, look: Callable[[ServiceId, float], None]) -> None:
        for number, service_id in enumerate(self._leases.at_risk(), 1):
            look(service_id, self._now_s())
            if number % AT_ONE_TURN == 0:
                await asyncio.sleep(0)
