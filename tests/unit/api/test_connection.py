"""Connections with unsent answers, and how many there may be."""

import asyncio

from aiohttp import web

from registry.api.connection import ApiProtocol, ConnectionSettings, Refused
from registry.api.connections import Connections
from tests.support.use_cases import UseCases

LOOKS = 3


class FakeTransport(asyncio.Transport):
    """Holds as many unsent bytes as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent_bytes = 0
        self.aborts = 0
        self.closed = False

    def get_write_buffer_size(self) -> int:
        """As told."""
        return self.unsent_bytes

    def abort(self) -> None:
        """Note it."""
        self.aborts += 1

    def close(self) -> None:
        """Note it; a real one waits for its unsent bytes."""
        self.closed = True


class Stage:
    """Connections without sockets."""

    def __init__(self, *, most: int = 10) -> None:
        self.refused = 0
        self.connections = Connections(
            most=most, stuck_s=30.0, on_refused=self._count_refused
        )
        settings = ConnectionSettings(
            node_id="a",
            observer=UseCases().metrics,
            keep_alive_s=75.0,
            on_lost=self.connections.lost,
        )
        loop = asyncio.get_running_loop()

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response()

        self._server = web.Server(handle)
        self._make = lambda: ApiProtocol(self._server, loop=loop, settings=settings)

    def admit(self) -> ApiProtocol | Refused:
        """Let a client connect."""
        return self.connections.admit(self._make)

    def connect(self) -> tuple[ApiProtocol, FakeTransport]:
        """Let a client connect that must get a place."""
        connection = self.admit()
        assert isinstance(connection, ApiProtocol)
        transport = FakeTransport()
        connection.connection_made(transport)
        return connection, transport

    def _count_refused(self) -> None:
        self.refused += 1


async def test_an_answer_that_does_not_shrink_is_given_up() -> None:
    """After so many looks, the first of which only sees that there is one."""
    connection, transport = Stage().connect()
    transport.unsent_bytes = 100

    for _ in range(LOOKS):
        connection.cut_off_if_stuck(LOOKS)
    assert transport.aborts == 0
    connection.cut_off_if_stuck(LOOKS)

    assert transport.aborts == 1
    connection.connection_lost(None)


async def test_an_answer_that_shrinks_is_not_given_up() -> None:
    """One byte in the time of a look is enough, and so is an answer sent."""
    connection, transport = Stage().connect()

    for unsent_bytes in (100, 100, 100, 99, 99, 99, 0, 99, 99, 99, 0, 0, 0, 0):
        transport.unsent_bytes = unsent_bytes
        connection.cut_off_if_stuck(LOOKS)

    assert transport.aborts == 0
    connection.connection_lost(None)


async def test_a_connection_being_closed_is_looked_at_too() -> None:
    """Its transport waits for the client to read, and holds its descriptor."""
    connection, transport = Stage().connect()
    transport.unsent_bytes = 100
    connection.force_close()
    assert transport.closed

    for _ in range(LOOKS + 1):
        connection.cut_off_if_stuck(LOOKS)

    assert transport.aborts == 1
    connection.connection_lost(None)


async def test_a_place_is_taken_at_once_and_free_after_the_loss() -> None:
    """Many connections may be accepted before the first one is made."""
    stage = Stage(most=2)
    first, _ = stage.connect()
    second = stage.admit()

    refused = stage.admit()
    first.connection_lost(None)

    assert isinstance(refused, Refused)
    assert stage.refused == 1
    assert isinstance(stage.admit(), ApiProtocol)
    assert second is not None


async def test_a_refused_connection_is_ended_at_once() -> None:
    """An answer would need a client that reads."""
    transport = FakeTransport()

    Refused().connection_made(transport)

    assert transport.aborts == 1


async def test_the_stop_waits_for_the_last_connection() -> None:
    """Its answer may still be on its way when its request is done."""
    stage = Stage()
    connection, _ = stage.connect()
    waiting = asyncio.create_task(stage.connections.all_gone())
    await asyncio.sleep(0)
    assert not waiting.done()

    connection.connection_lost(None)

    await waiting
