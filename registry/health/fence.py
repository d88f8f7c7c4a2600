"""A fence around a prober: what is our own fault is never held against a target.

    it never ends               ended from outside, a failure
    it breaks by a defect       ours, logged
    it fails, and we stood      ours: the answer may have lain there while this process
    still past its time-out     was stopped, or its loop was busy

The leader's scheduler and whoever is asked for an opinion probe through one.
"""

import asyncio
from dataclasses import replace

import structlog

from registry.ports import Clock, Prober, ProbeResult, Target

BELT_S = 1.0
"""A probe that outlives its own time-out by this is ended from outside."""
STOOD_STILL_S = 0.1
"""A failure that took longer still than it may is our own."""
LOGGED_EACH_S = 10.0

OUTLIVED = ProbeResult(passed=False, cause="timed out")
DEFECT = ProbeResult(passed=False, cause="a defect of the registry", is_ours=True)
STOOD_STILL = "the registry stood still"

log = structlog.get_logger()


class Fence:
    """A ``Prober`` that never raises, whatever the one inside does."""

    def __init__(self, prober: Prober, clock: Clock) -> None:
        self._prober = prober
        self._clock = clock
        self._logged_s = -LOGGED_EACH_S

    async def probe(self, target: Target) -> ProbeResult:
        """Probe once; ends BELT_S after the target's time-out at the latest."""
        ends_s = self._clock.now_s() + target.timeout_s
        try:
            async with asyncio.timeout(target.timeout_s + BELT_S):
                result = await self._prober.probe(target)
        except TimeoutError:
            ends_s += BELT_S
            result = OUTLIVED
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return self._defect(target)  # Nobody cancelled us: it came from inside.
        except Exception:
            return self._defect(target)
        if not result.passed and self._clock.now_s() > ends_s + STOOD_STILL_S:
            return replace(result, cause=STOOD_STILL, is_ours=True)
        return result

    def _defect(self, target: Target) -> ProbeResult:
        now_s = self._clock.now_s()
        if now_s - self._logged_s >= LOGGED_EACH_S:
            self._logged_s = now_s
            log.exception("A probe failed by a defect of ours", kind=target.kind)
        return DEFECT
