"""The leader's health monitor: which instances are probed, and what follows from it.

    catalog changes --> noted --> reconcile --> scheduler --> prober
                                                   |
        Renew <-- renewals <--- passed --- judgement --- enough failed --> ask others
        SetStatus <-- transitions <-- pass / hold        most agree: unhealthy
                                                         else: unreachable from …

The catalog's status is the only one; a judgement follows it, whoever changed it. With
each leadership everything begins anew: counts at nothing, no status reset, the first
probes spread over one interval.

What an instance says of itself outranks its check: one that has reported by heartbeat
that it is unhealthy stays so until it says otherwise or registers anew.
"""

from registry.catalog.commands import Key, Opinion, Suspect
from registry.health.anew import run_anew
from registry.health.leadership import Leadership, Means


class HealthMonitor:
    """The duty, and the ``Listener`` that it hears the catalog by."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._leadership: Leadership | None = None

    def changed(self, keys: list[Key]) -> None:
        """Note instances to be looked at."""
        if self._leadership is not None:
            self._leadership.note(keys)

    def suspected(self, position: int, command: Suspect) -> None:
        """Note that our own question is in the log."""
        if self._leadership is not None:
            self._leadership.opinions.suspected(position, command)

    def opined(self, position: int, command: Opinion) -> None:
        """Count another replica's answer."""
        if self._leadership is not None:
            self._leadership.opinions.opined(command)

    def counters(self) -> dict[str, float]:
        """Return the numbers of the scheduler; zeros while not leading."""
        if self._leadership is None:
            return {
                "registry_health_checks_scheduled": 0.0,
                "registry_health_checks_under_way": 0.0,
                "registry_health_check_lag_seconds": 0.0,
            }
        return self._leadership.scheduler.counters()

    async def run(self) -> None:
        """Monitor until cancelled. A defect is logged, and all begins anew."""
        await run_anew(self._lead, what="health monitor")

    async def _lead(self) -> None:
        self._leadership = Leadership(self._means)
        try:
            await self._leadership.run()
        finally:
            self._leadership = None
