"""Names to socket addresses, off the event loop and under a deadline."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

from cluster.links.settings import Address

MAX_ADDRESSES = 8
"""Of one name; more are not tried."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One address of a name, as the socket calls want it."""

    family: int
    sockaddr: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.sockaddr[0]}:{self.sockaddr[1]}"


def literal(host: str, port: int) -> Resolved | None:
    """Return the address if ``host`` is one already: no look-up, no thread."""
    for family, rest in ((socket.AF_INET, ()), (socket.AF_INET6, (0, 0))):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return Resolved(family, (host, port, *rest))
    return None


class Resolver:
    """Looks one peer's name up, afresh for each attempt.

    Invariant: at most one look-up is under way. The system's resolver cannot be
    interrupted and may take much longer than our deadline; asking again meanwhile
    would only pile up threads, so the next attempt awaits the same answer.
    """

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._pending: asyncio.Future[list[Any]] | None = None

    async def resolve(self, address: Address) -> list[Resolved]:
        """Return the addresses, best first. Raises OSError or TimeoutError."""
        host, port = address
        known = literal(host, port)
        if known is not None:
            return [known]
        if self._pending is None:
            loop = asyncio.get_running_loop()
            self._pending = asyncio.ensure_future(
                loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        done, _ = await asyncio.wait((self._pending,), timeout=self._deadline_s)
        if not done:
            raise TimeoutError(f"{host} was not resolved in {self._deadline_s} s")
        pending, self._pending = self._pending, None
        found = [Resolved(family, addr) for family, *_, addr in pending.result()]
        return list(dict.fromkeys(found))[:MAX_ADDRESSES]

    def close(self) -> None:
        """Wait for no answer any more."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
