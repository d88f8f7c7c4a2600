"""Of which instances a connection is kept between two checks: a bounded number. Pure.

Whoever was first stays while it is asked for; taking turns would keep connections that
are closed before they are used again.
"""

from collections import OrderedDict

MOST_USES = 5
"""Requests on one connection. An old one may still be answered where nobody listens
any more, or at an address that the name has left: a fresh one finds out.
"""


class KeptPeers:
    """The instances that have a place. Invariant: at most ``max_peers``."""

    def __init__(self, *, max_peers: int, idle_s: float) -> None:
        self._max_peers = max_peers
        self._idle_s = idle_s
        self._asked_at_s: OrderedDict[tuple[str, int], float] = OrderedDict()

    def may_keep(self, host: str, port: int, *, now_s: float) -> bool:
        """Tell if this one's connection is kept; it takes a free place if there is one.

        A place is free again when its instance was not asked for ``idle_s``.
        """
        peer = (host, port)
        places = self._asked_at_s
        if peer not in places and len(places) >= self._max_peers:
            oldest = next(iter(places), None)
            if oldest is None or now_s - places[oldest] <= self._idle_s:
                return False
            del places[oldest]
        places[peer] = now_s
        places.move_to_end(peer)
        return True
