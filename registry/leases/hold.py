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
        if self._leases.is_holding or not self._leases.may_be_suspicious():
            return False
        if not any(map(self._leases.is_heartbeat_only, due)):
            return False
        if not await self._is_suspicious():
            return False
        self._leases.is_holding = True
        self._observer.observe_hold()
        log.warning(
            "Evictions held back: many leases run out at once",
            at_risk=len(self._leases.at_risk()),
        )
        return True

    async def judge(self) -> None:
        """End a hold once the heartbeats are back; what did not come back then goes."""
        while True:
            await asyncio.sleep(CHECK_EACH_S)
            if self._leases.is_holding and not await self._is_suspicious():
                self._leases.is_holding = False
                log.info("Evictions no longer held back")
                now_s = self._now_s()
                for service_id in self._leases.at_risk():
                    self._leases.again(service_id, now_s)

    async def _is_suspicious(self) -> bool:
        at_risk, some = 0, self._leases.at_risk()
        for start in range(0, len(some), AT_ONE_TURN):
            part = some[start : start + AT_ONE_TURN]
            at_risk += self._leases.count(part, self._now_s()).at_risk
            await asyncio.sleep(0)
        return self._leases.share(at_risk).is_suspicious
