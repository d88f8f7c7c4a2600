"""The contract, for whoever accepts a connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.integration.probes import servers
from tests.integration.probes.contract import ProbeContract


class TestTcp(ProbeContract):
    """Connects and closes."""

    kind = "tcp"

    @asynccontextmanager
    async def healthy(self) -> AsyncIterator[int]:
        """Whoever listens."""

        async def accept(reader: servers.Reader, writer: servers.Writer) -> None:
            await reader.read()

        async with servers.serving(accept) as running:
            yield running.port
