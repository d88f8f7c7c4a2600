"""Lists as answered, in little memory: a long run reads the same ones a million times.

Not thread-safe; all on the clients' loop.
"""

import msgspec

Listed = tuple[tuple[str, str], ...]


class _Instance(msgspec.Struct):
    service_id: str
    host: str
    port: int


class _Listing(msgspec.Struct):
    service_name: str
    instances: list[_Instance]


_decoder = msgspec.json.Decoder(_Listing)


class Listings:
    """Parses lists; equal entries, and equal lists in a row, are one object."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int, str], tuple[str, str]] = {}
        self._last: dict[str, Listed] = {}

    def parse(self, body: bytes) -> Listed:
        """Return (service_id, ``host:port``) of each instance, sorted.

        The registry begins each second with another instance, which says nothing.
        Raises DecodeError: an answer of 200 is a list.
        """
        listing = _decoder.decode(body)
        listed = tuple(sorted(self._entry(one) for one in listing.instances))
        last = self._last.get(listing.service_name)
        if listed == last:
            return last
        self._last[listing.service_name] = listed
        return listed

    def _entry(self, one: _Instance) -> tuple[str, str]:
        key = (one.host, one.port, one.service_id)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = (one.service_id, f"{one.host}:{one.port}")
        return entry
