"""One instance as its leader watches it: which registration speaks for it, and how it
stands.
"""

from registry.catalog.commands import Key
from registry.catalog.records import Lease
from registry.health.plan import Plan
from registry.health.thresholds import Judgement
from registry.model import ServiceId


class Watched:
    """An instance with a check, by its newest registration; a new one makes a new
    Watched.
    """

    __slots__ = (
        "cause",
        "fails_here",
        "failure",
        "generation",
        "has_passed_since",
        "judgement",
        "key",
        "plan",
        "renew_after_s",
        "service_id",
    )

    def __init__(
        self, key: Key, lease: Lease, plan: Plan, judgement: Judgement
    ) -> None:
        self.key = key
        self.service_id: ServiceId = lease.registration.service_id
        self.generation = lease.registration.generation
        self.plan = plan
        self.judgement = judgement
        self.failure = ""
        """Why the probe failed that made us suspect it."""
        self.fails_here = True
        """Whether it does fail, as far as we can tell: else only the others' votes
        count."""
        self.cause = ""
        """The cause that it would be unhealthy for."""
        self.renew_after_s = 0.0
        """From then on the next proof of life goes into the log."""
        self.has_passed_since = False
        """Whether there was a proof of life since the last one in the log."""

    def is_of(self, lease: Lease) -> bool:
        """Whether this is the registration that it watches."""
        registration = lease.registration
        return (
            registration.generation == self.generation
            and registration.service_id == self.service_id
        )
