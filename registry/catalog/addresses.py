"""Which services claim an address (host, port): two of them are worth a warning."""

from registry.catalog.commands import Key
from registry.model import ServiceName


class Addresses:
    """The names of the services that have an instance at each address.

    Invariant: ``shared`` counts the addresses of more than one service.
    """

    __slots__ = ("_names", "shared")

    def __init__(self) -> None:
        self._names: dict[tuple[str, int], tuple[ServiceName, ...]] = {}
        self.shared = 0

    def at(self, host: str, port: int) -> tuple[ServiceName, ...]:
        """Return the services at an address, in the order in which they came."""
        return self._names.get((host, port), ())

    def add(self, key: Key) -> None:
        """Note an instance that appears."""
        name, host, port = key
        names = self._names.get((host, port), ())
        self._names[host, port] = (*names, name)
        self.shared += len(names) == 1

    def remove(self, key: Key) -> None:
        """Note that an instance is gone."""
        name, host, port = key
        names = tuple([n for n in self._names[host, port] if n != name])
        self.shared -= len(names) == 1
        if names:
            self._names[host, port] = names
        else:
            del self._names[host, port]

    def discard(self, count: int) -> None:
        """Let go of about ``count``; nothing holds afterwards."""
        for _ in range(min(count, len(self._names))):
            self._names.popitem()

    def __len__(self) -> int:
        return len(self._names)
