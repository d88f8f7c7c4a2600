"""The registrations that expired, kept for a day so that a heartbeat can revive them.

Bounded by number, by bytes and by age, oldest first. Ages are differences of what the
replicas' wall clocks said, so age alone lets only a few go with each that comes, and
never the newest: one Expire of a replica whose clock is ahead must not make all the
others look old and empty the list.
"""

from collections import OrderedDict

import msgspec

from registry.catalog.bounds import Limits
from registry.model import Registration, ServiceId, Status

_FORGOTTEN_AT_ONCE = 2
"""Of the old, for each that comes: enough to get rid of them all."""


class Gone(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    """A registration that expired: as it was, with the status its instance had."""

    registration: Registration
    status: Status
    heartbeat_ms: int
    at_ms: int
    size_bytes: int


class GoneList:
    """The expired registrations, in the order in which they expired.

    Invariant: ``size_bytes`` is that of all ``entries`` together.
    """

    __slots__ = ("entries", "limits", "size_bytes")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        # Ordered: a plain dict would look for its first entry ever longer.
        self.entries: OrderedDict[ServiceId, Gone] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self.entries)

    def revivable(self, service_id: ServiceId, at_ms: int) -> Gone | None:
        """Return the registration that a heartbeat at this time would bring back."""
        gone = self.entries.get(service_id)
        if gone is None or at_ms - gone.at_ms > self.limits.gone_for_ms:
            return None
        return gone

    def add(self, gone: Gone) -> None:
        """Enter one as the newest, whatever the bounds: it is from a snapshot."""
        self.entries[gone.registration.service_id] = gone
        self.size_bytes += gone.size_bytes

    def remember(self, gone: Gone) -> None:
        """Enter one that expires now, and let the oldest go that are too many."""
        self.add(gone)
        limits = self.limits
        while len(self.entries) > limits.gone or self.size_bytes > limits.gone_bytes:
            self.forget(next(iter(self.entries)))
        for _ in range(_FORGOTTEN_AT_ONCE):
            if len(self.entries) <= limits.kept_gone:
                return
            service_id, oldest = next(iter(self.entries.items()))
            if gone.at_ms - oldest.at_ms <= limits.gone_for_ms:
                return
            self.forget(service_id)

    def forget(self, service_id: ServiceId) -> bool:
        """Let one go for good; return whether it was there."""
        gone = self.entries.pop(service_id, None)
        if gone is None:
            return False
        self.size_bytes -= gone.size_bytes
        return True
