"""The contract, for whoever accepts a connection."""

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from registry.health.probes.tcp import is_to_itself
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


def test_a_connection_to_itself_is_told_from_one_to_a_listener() -> None:
    """Where nobody listens the system may choose the very port that is asked."""
    with socket.socket() as alone, socket.socket() as listener, socket.socket() as one:
        alone.bind(("127.0.0.1", 0))
        alone.connect(alone.getsockname())
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        one.connect(listener.getsockname())

        assert is_to_itself(alone)
        assert not is_to_itself(one)


def test_a_connection_that_was_reset_at_once_is_none_to_itself() -> None:
    """It was accepted, so somebody listens."""
    with socket.socket() as listener, socket.socket() as one:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        one.connect(listener.getsockname())
        accepted, _ = listener.accept()
        accepted.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        accepted.close()
        with pytest.raises(ConnectionResetError):
            one.recv(1)

        assert not is_to_itself(one)
