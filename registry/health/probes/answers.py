"""Bounds on what one answer may cost, below what aiohttp bounds itself.

aiohttp reads on through any number of interim answers (1xx), all that have arrived in
one turn of the loop: a target that sends nothing else held the loop for a second in a
trial. And what surrounds a body in chunks is counted by nobody. So the bytes of an
answer are counted here, and fed in slices. So are the uses of a connection.
"""

import asyncio
import functools

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader

from registry.health.probes.kept import MOST_USES

MAX_ANSWER_BYTES = 1024 * 1024
"""Heads, bodies and all that is between, of one request."""
MAX_INTERIM_ANSWERS = 8
SLICE_BYTES = 16 * 1024
"""Parsed without looking at the bounds."""


class BoundedHandler(ResponseHandler):
    """A connection that ends once an answer exceeds its bounds, or after its uses."""

    _left_bytes = MAX_ANSWER_BYTES
    _left_interim = MAX_INTERIM_ANSWERS
    _left_uses = MOST_USES

    def data_received(self, data: bytes) -> None:
        """Take what has come, in slices."""
        for at in range(0, len(data), SLICE_BYTES):
            if self.transport is None or self.transport.is_closing():
                return
            part = data[at : at + SLICE_BYTES]
            self._left_bytes -= len(part)
            if self._left_bytes < 0:
                self._give_up()
                return
            super().data_received(part)

    def feed_data(
        self, data: tuple[RawResponseMessage, StreamReader], size: int = 0
    ) -> None:
        """Hand a message on, unless it is one interim answer too many."""
        if 100 <= data[0].code < 200:
            self._left_interim -= 1
            if self._left_interim < 0:
                self._give_up()
                return
        super().feed_data(data, size)

    def begin(self) -> None:
        """Give the next request its full measure; close after the last one."""
        self._left_bytes = MAX_ANSWER_BYTES
        self._left_interim = MAX_INTERIM_ANSWERS
        self._left_uses -= 1
        if self._left_uses <= 0:
            self.force_close()

    def _give_up(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            # Not closed in order: it may have a lot to say still.
            self.transport.abort()
            self.set_exception(HttpProcessingError(message="too much of an answer"))


class BoundedResponse(aiohttp.ClientResponse):
    """Begins the count anew, as connections are used again."""

    async def start(
        self, connection: aiohttp.connector.Connection
    ) -> "BoundedResponse":
        """Wait for the head."""
        if isinstance(connection.protocol, BoundedHandler):
            connection.protocol.begin()
        await super().start(connection)
        return self


def bounded(connector: aiohttp.TCPConnector) -> aiohttp.TCPConnector:
    """Make a connector's connections bounded. A private name: a test shows it holds."""
    loop = asyncio.get_running_loop()
    handler: type[ResponseHandler] = BoundedHandler
    connector._factory = functools.partial(handler, loop=loop)
    return connector
