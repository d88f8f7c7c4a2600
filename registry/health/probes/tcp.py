"""tcp: whoever accepts a connection passes; it is closed at once."""

import asyncio
import socket
from collections.abc import Sequence

from registry.health.probes.causes import (
    NO_ROUTE,
    REFUSED,
    NotReached,
    connect_failed,
)
from registry.health.probes.kind import Tools
from registry.ports import ProbeResult, Target


class TcpProbe:
    """Connects and closes."""

    def __init__(self, tools: Tools) -> None:
        self._resolver = tools.resolver

    async def probe(self, target: Target) -> ProbeResult:
        """Pass if one of the host's addresses accepts."""
        addresses = await self._resolver.addresses(target.host)
        try:
            await reached(addresses, target.port, timeout_s=target.timeout_s)
        except OSError as error:
            return connect_failed(error)
        return ProbeResult(passed=True, cause="connected")

    async def close(self) -> None:
        """Nothing is kept."""


async def reached(addresses: Sequence[str], port: int, *, timeout_s: float) -> str:
    """Return the first address that accepts a connection; raises OSError.

    One that swallows packets gets its share of the time, so that the next has one.
    """
    loop = asyncio.get_running_loop()
    last_error: OSError = NotReached(NO_ROUTE)
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        # The last one has what the caller leaves.
        share_s = timeout_s / len(addresses) if address != addresses[-1] else None
        try:
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.setblocking(False)
                async with asyncio.timeout(share_s):
                    await loop.sock_connect(connection, (address, port))
                if is_to_itself(connection):
                    raise NotReached(REFUSED)
            return address
        except OSError as error:
            last_error = error
    raise last_error


def is_to_itself(connection: socket.socket) -> bool:
    """Tell if a connection is its own other end: nobody listens there.

    It comes about when the system chooses the port that is connected to as our own.
    """
    try:
        return bool(connection.getsockname() == connection.getpeername())
    except OSError:
        return False  # It was accepted and has been reset since.
