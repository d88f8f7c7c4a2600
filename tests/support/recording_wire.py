"""A transport that records what is sent, and reads only what it is fed."""

import asyncio

HIGH_WATER_BYTES = 64 * 1024
"""As asyncio's own: beyond it the protocol is asked to pause."""


class Wire(asyncio.Transport):
    """One connection's transport. Its client takes all at once, until it stalls."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 50_000)})
        self.sent = bytearray()
        """All that was written so far, taken by the client or not."""
        self.log: list[tuple[float, bytes]] = []
        """What was written, and when in the loop's time."""
        self.closed_at_s: float | None = None
        self.unsent_bytes = 0
        self.is_reading_paused = False
        self._protocol: asyncio.Protocol | None = None
        self._stalls = False
        self._high_water_bytes = HIGH_WATER_BYTES
        self._is_paused = False
        self._is_lost = False

    def connect(self, protocol: asyncio.Protocol) -> None:
        """Be the transport of this protocol."""
        self._protocol = protocol
        protocol.connection_made(self)

    def feed(self, data: bytes) -> None:
        """Let a chunk arrive."""
        assert self._protocol is not None
        self._protocol.data_received(data)

    def stall(self, high_water_bytes: int = HIGH_WATER_BYTES) -> None:
        """Let the client take nothing more, but by ``drain``."""
        self._stalls = True
        self._high_water_bytes = high_water_bytes

    def drain(self) -> None:
        """Let the client take what waits; it stalls again right away."""
        assert self._protocol is not None
        self.unsent_bytes = 0
        if self._is_paused:
            self._is_paused = False
            self._protocol.resume_writing()
        self._end_if_done()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Record it."""
        if self.closed_at_s is not None:
            return
        self.sent += data
        self.log.append((_now_s(), bytes(data)))
        if not self._stalls:
            return
        assert self._protocol is not None
        self.unsent_bytes += len(data)
        if self.unsent_bytes > self._high_water_bytes and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        """Return how much the client has not taken."""
        return self.unsent_bytes

    def pause_reading(self) -> None:
        """Take no further chunk."""
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        """Take chunks again."""
        self.is_reading_paused = False

    def is_closing(self) -> bool:
        """Whether nothing is read any more."""
        return self.closed_at_s is not None

    def close(self) -> None:
        """End the connection once all is taken; the protocol hears of it then."""
        if self.closed_at_s is None:
            self.closed_at_s = _now_s()
        self._end_if_done()

    def abort(self) -> None:
        """End the connection, whatever the client has not taken."""
        self.unsent_bytes = 0
        self.close()

    def _end_if_done(self) -> None:
        if self.closed_at_s is None or self.unsent_bytes or self._is_lost:
            return
        self._is_lost = True
        assert self._protocol is not None
        loop = asyncio.get_running_loop()
        loop.call_soon(self._protocol.connection_lost, None)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
