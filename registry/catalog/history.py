"""What happened to each service's instances: the same on every replica, and bounded.

The last transitions of each service, and of all together, the oldest first to go. They
outlive the service, so that an empty list can be explained.
"""

from collections import OrderedDict, deque

from registry.model import ServiceName, Transition


class History:
    """Transitions by service, and in the order in which they happened.

    Invariant: ``entries`` holds exactly what the services' deques hold, oldest first;
    a service without transitions has no deque.
    """

    __slots__ = ("_by_service", "_next", "entries", "most", "most_of_service")

    def __init__(self, *, most: int, most_of_service: int) -> None:
        self.most = most
        self.most_of_service = most_of_service
        self.entries: OrderedDict[int, tuple[ServiceName, Transition]] = OrderedDict()
        self._by_service: dict[ServiceName, deque[int]] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, name: ServiceName, transition: Transition) -> None:
        """Note the newest transition; let the oldest go that is one too many."""
        numbers = self._by_service.setdefault(name, deque())
        numbers.append(self._next)
        self.entries[self._next] = (name, transition)
        self._next += 1
        if len(numbers) > self.most_of_service:
            del self.entries[numbers.popleft()]
        if len(self.entries) > self.most:
            _number, (oldest, _transition) = self.entries.popitem(last=False)
            others = self._by_service[oldest]
            others.popleft()
            if not others:
                del self._by_service[oldest]

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
