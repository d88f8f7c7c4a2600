"""Which instances claim an address (host, port), however the host is written. Pure.

Who asks by host may write it otherwise than who registered it: names know no case, and
an IPv6 address may stand in brackets. So both are looked up in one form; what is shown
stays as it was registered.
"""

from collections.abc import Collection, Iterable
from itertools import islice

from registry.catalog.commands import Key


def canonical_host(host: str) -> str:
    """Return the form in which hosts are looked up and compared."""
    return host.lower().strip("[]")


class Addresses:
    """The instances at each address, in the order in which they came.

    Two at one address are of different services, or of one in two spellings.

    Invariant: ``shared`` counts the addresses of more than one. An instance alone
    stands for itself: a dict for each of 100,000 would cost more than all else here.
    """

    __slots__ = ("_keys", "shared")

    def __init__(self) -> None:
        self._keys: dict[tuple[str, int], Key | dict[Key, None]] = {}
        self.shared = 0

    def at(self, host: str, port: int) -> Collection[Key]:
        """Return the instances at an address; only good until the next change."""
        found = self._keys.get((canonical_host(host), port), ())
        return found if isinstance(found, dict) or not found else (found,)

    def newest_at(self, host: str, port: int, most: int) -> Iterable[Key]:
        """Return those that came last, the last one first."""
        found = self._keys.get((canonical_host(host), port), ())
        if isinstance(found, dict):
            return islice(reversed(found), most)
        return (found,) if found else ()

    def add(self, key: Key) -> None:
        """Note an instance that appears."""
        _name, host, port = key
        canonical = canonical_host(host)
        # Nearly always equal: then one string serves both.
        place = (host if canonical == host else canonical, port)
        found = self._keys.setdefault(place, key)
        if found is key:
            return
        if isinstance(found, dict):
            found[key] = None
        else:
            self._keys[place] = {found: None, key: None}
            self.shared += 1

    def remove(self, key: Key) -> None:
        """Note that an instance is gone."""
        _name, host, port = key
        place = (canonical_host(host), port)
        found = self._keys[place]
        if not isinstance(found, dict):
            del self._keys[place]
            return
        del found[key]
        if len(found) == 1:
            (self._keys[place],) = found
            self.shared -= 1

    def discard(self, count: int) -> None:
        """Let go of about ``count``; nothing holds afterwards."""
        for _ in range(min(count, len(self._keys))):
            self._keys.popitem()

    def __len__(self) -> int:
        return len(self._keys)
