"""What happened to each service's instances: the same on every replica, and bounded.

The last transitions of each service, and of all together, the oldest first to go. They
outlive the service, so that an empty list can be explained.
"""

from registry.model import ServiceName, Transition

MOST_LOOKS = 64
"""For the oldest, number by number: services that change all the time may have let
millions go, one at a time, before all together are too many.
"""


class History:
    """Transitions by service, and in the order in which they happened.

    Invariant: ``entries`` holds exactly what the services' lists hold, oldest first;
    a service without transitions has no list.
    """

    __slots__ = (
        "_by_service",
        "_next",
        "_oldest",
        "entries",
        "most",
        "most_of_service",
    )

    def __init__(self, *, most: int, most_of_service: int) -> None:
        self.most = most
        self.most_of_service = most_of_service
        self.entries: dict[int, tuple[ServiceName, Transition]] = {}
        """By number, which rise."""
        self._by_service: dict[ServiceName, list[int]] = {}
        self._next = 0
        self._oldest = 0
        """None has a lower number. The dict knows its first as well, but looks for it
        ever longer while first ones are taken out."""

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, name: ServiceName, transition: Transition) -> None:
        """Note the newest transition; let the oldest go that is one too many."""
        number = self._next
        self._next = number + 1
        self.entries[number] = (name, transition)
        numbers = self._by_service.get(name)
        if numbers is None:
            self._by_service[name] = [number]
        else:
            numbers.append(number)
            if len(numbers) > self.most_of_service:
                del self.entries[numbers.pop(0)]
        if len(self.entries) > self.most:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        entries = self.entries
        looks = MOST_LOOKS
        while self._oldest not in entries:
            looks -= 1
            self._oldest = self._oldest + 1 if looks else next(iter(entries))
        name, _transition = self.entries.pop(self._oldest)
        numbers = self._by_service[name]
        del numbers[0]
        if not numbers:
            del self._by_service[name]

    def discard(self, count: int) -> None:
        """Let go of about ``count``; nothing holds afterwards."""
        for entries in (self.entries, self._by_service):
            for _ in range(min(count, len(entries))):
                entries.popitem()

    def of(self, name: ServiceName) -> tuple[Transition, ...]:
        """Return a service's transitions, oldest first."""
        numbers = self._by_service.get(name, ())
        return tuple([self.entries[number][1] for number in numbers])

    def names(self) -> tuple[ServiceName, ...]:
        """Return the names of all services that have any."""
        return tuple(self._by_service)
