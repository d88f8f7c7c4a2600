"""The registrations that are no more, kept to be revived or to be told of.

Two lists of one kind: the expired, kept so that a heartbeat can revive them, and the
others (deregistered, replaced, displaced), kept so that somebody who asks is answered.
Bounded by number and bytes, oldest first; by age the leader lets them go (``Forget``),
since only its clock is monotonic.
"""

from collections import OrderedDict

import msgspec

from registry.model import Registration, ServiceId, Status

EXPIRED = "lease_expired"
"""The cause of those that a snapshot of schema 1 holds."""


class Gone(
    msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True
):
    """A registration that is no more: as it was, with the status its instance had."""

    registration: Registration
    status: Status
    heartbeat_ms: int
    at_ms: int
    size_bytes: int
    position: int = 0
    """Of the command that ended it."""
    cause: str = EXPIRED


class GoneList:
    """Gone registrations, in the order in which they went.

    Invariant: ``size_bytes`` is that of all ``entries`` together.
    """

    __slots__ = ("entries", "most", "most_bytes", "size_bytes")

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self.most = most
        self.most_bytes = most_bytes
        # Ordered: a plain dict would look for its first entry ever longer.
        self.entries: OrderedDict[ServiceId, Gone] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, service_id: ServiceId) -> Gone | None:
        """Return the registration that had this id."""
        return self.entries.get(service_id)

    def oldest(self) -> int:
        """Return the position of the oldest; 0 if there is none."""
        for gone in self.entries.values():
            return gone.position
        return 0

    def add(self, gone: Gone) -> None:
        """Enter one as the newest, whatever the bounds: it is from a snapshot."""
        self.entries[gone.registration.service_id] = gone
        self.size_bytes += gone.size_bytes

    def remember(self, gone: Gone) -> None:
        """Enter one that goes now, and let the oldest go that are too many."""
        self.forget(gone.registration.service_id)
        self.add(gone)
        while len(self.entries) > self.most or self.size_bytes > self.most_bytes:
            self.forget(next(iter(self.entries)))

    def forget(self, service_id: ServiceId) -> bool:
        """Let one go for good; return whether it was there."""
        gone = self.entries.pop(service_id, None)
        if gone is None:
            return False
        self.size_bytes -= gone.size_bytes
        return True

    def forget_before(self, position: int, most: int) -> int:
        """Let at most ``most`` go that went before a position; return how many."""
        count = 0
        while count < most and self.entries and self.oldest() < position:
            self.forget(next(iter(self.entries)))
            count += 1
        return count
