"""The network of the bed of processes: what is cut starves, and comes late."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chaos.beds.relay import Relays, Way
from tests.support.process_ports import LOOPBACK

SOON_S = 5.0
NOT_SOON_S = 0.2


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """Listen, as ``b``."""
    with socket.create_server((LOOPBACK, 0)) as far:
        far.settimeout(SOON_S)
        yield far


@pytest.fixture
def relays(far: socket.socket) -> Iterator[Relays]:
    """Run the relays of two."""
    with Relays({"a": 1, "b": far.getsockname()[1]}) as relays:
        yield relays


def dial(relays: Relays) -> socket.socket:
    """Connect, as ``a`` to ``b``."""
    return socket.create_connection((LOOPBACK, relays.port("a", "b")), SOON_S)


def gets(sock: socket.socket, data: bytes) -> bool:
    """Whether just this arrives soon."""
    sock.settimeout(SOON_S if data else NOT_SOON_S)
    try:
        return sock.recv(100) == data
    except TimeoutError:
        return data == b""


def test_each_way_is_cut_for_itself_and_gives_back_what_it_held(
    far: socket.socket, relays: Relays
) -> None:
    """As with packets that are lost, and sent again until they are not."""
    with dial(relays) as near, far.accept()[0] as there:
        near.sendall(b"one")
        assert gets(there, b"one")
        relays.cut("a", "b")
        near.sendall(b"two")
        there.sendall(b"answer")
        assert gets(near, b"answer")
        assert gets(there, b"")
        relays.heal()
        assert gets(there, b"two")
        relays.cut("b", "a")
        near.sendall(b"three")
        there.sendall(b"lost")
        assert gets(there, b"three")
        assert gets(near, b"")


@pytest.mark.parametrize("way", [("a", "b"), ("b", "a")])
def test_a_new_connection_over_a_cut_way_starves(
    far: socket.socket, relays: Relays, way: tuple[str, str]
) -> None:
    """Neither refused nor reset; whole again, it is made."""
    relays.cut(*way)
    with dial(relays) as near:
        near.sendall(b"hello")
        far.settimeout(NOT_SOON_S)
        with pytest.raises(TimeoutError):
            far.accept()
        relays.heal()
        far.settimeout(SOON_S)
        with far.accept()[0] as there:
            assert gets(there, b"hello")


def test_an_end_is_told_after_all_that_came_before(
    far: socket.socket, relays: Relays
) -> None:
    """On either side; and where nobody listens a connection ends at once."""
    sent = bytes(1_000_000)
    relays.slow("a", "b", delay_s=0.05, jitter_s=0.02, loss=0.1)
    with dial(relays) as near, far.accept()[0] as there:
        near.sendall(sent)
        near.shutdown(socket.SHUT_WR)
        there.settimeout(SOON_S)
        got = b""
        while part := there.recv(100_000):
            got += part
        assert got == sent
    with socket.create_connection((LOOPBACK, relays.port("b", "a")), SOON_S) as none:
        assert none.recv(1) == b""


def test_what_is_lost_takes_as_long_as_to_send_it_again() -> None:
    """TCP hides a loss, but for the time."""
    way = Way("x")
    way.delay_s, way.jitter_s, way.loss = 0.1, 0.05, 0.25
    trips_s = [way.trip_s() for _ in range(1_000)]

    assert min(trips_s) > 0.05
    assert 0.2 < sum(trip_s > 0.2 for trip_s in trips_s) / len(trips_s) < 0.3
    assert any(0.65 < trip_s < 0.75 for trip_s in trips_s)  # lost twice


def test_relays_that_cannot_listen_leave_no_thread_and_no_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread would keep the process for ever."""
    servers: list[asyncio.Server] = []
    start_server = asyncio.start_server

    async def start_one(*args: Any) -> asyncio.Server:
        if servers:
            raise OSError("no port is left")
        servers.append(await start_server(*args))
        return servers[0]

    monkeypatch.setattr(asyncio, "start_server", start_one)
    with pytest.raises(OSError, match="no port is left"):
        Relays({"a": 1, "b": 2}).__enter__()

    assert "relays" not in {thread.name for thread in threading.enumerate()}
    assert [server.is_serving() for server in servers] == [False]
