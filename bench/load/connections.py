"""The connections of a load: plain sockets and epoll, one request under way on each.

Not on an event loop, because a timer of uvloop has whole milliseconds, and because each
layer between the socket and the clock would be measured as well.
"""

import select
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from bench.load.answers import finished

CONNECT_S = 1.0
AGAIN_S = 0.02
"""Between attempts to reach a server that does not listen."""
CHUNK_BYTES = 256 * 1024


class _Poll:
    """Waits for sockets; with epoll where it exists, which costs less with many."""

    def __init__(self) -> None:
        if sys.platform == "linux":
            epoll = select.epoll()
            self.register: Callable[[int], object] = lambda number: epoll.register(
                number, select.EPOLLIN
            )
            self.unregister: Callable[[int], object] = epoll.unregister
            self._wait: Callable[[float], list[tuple[int, int]]] = epoll.poll
        else:
            poll = select.poll()
            self.register = lambda number: poll.register(number, select.POLLIN)
            self.unregister = poll.unregister
            self._wait = lambda timeout_s: poll.poll(timeout_s * 1000)

    def wait(self, timeout_s: float) -> list[int]:
        """Return the sockets that have something to read, or have ended."""
        return [number for number, _ in self._wait(timeout_s)]


class Connection:
    """One connection, that is kept.

    ``sent_at_s`` is from when its request counts; 0.0: none is under way.
    """

    __slots__ = ("address", "again_at_s", "data", "sent_at_s", "sock")

    def __init__(self, address: int) -> None:
        self.address = address
        self.sock: socket.socket | None = None
        self.data = b""
        self.sent_at_s = 0.0
        self.again_at_s = 0.0


class Connections:
    """A number of them, spread over the servers.

    Invariant: each is in ``_open`` with a socket, or in ``_lost`` without one.
    """

    def __init__(self, urls: Sequence[str], count: int) -> None:
        parts = [urlsplit(url) for url in urls]
        self._addresses = [(p.hostname or "", p.port or 80) for p in parts]
        self._poll = _Poll()
        self._open: dict[int, Connection] = {}
        self._lost = [Connection(n % len(urls)) for n in range(count)]

    def connect(self, now_s: float) -> Iterator[Connection]:
        """Connect what is lost and whose time has come; return what may send now.

        One that cannot tries the next server the next time.
        """
        for connection in [c for c in self._lost if c.again_at_s <= now_s]:
            connection.sent_at_s = 0.0
            try:
                sock = socket.create_connection(
                    self._addresses[connection.address], CONNECT_S
                )
            except OSError:
                self._postpone(connection)
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            connection.sock, connection.data = sock, b""
            self._lost.remove(connection)
            self._open[sock.fileno()] = connection
            self._poll.register(sock.fileno())
            yield connection

    @property
    def are_lost(self) -> bool:
        """Whether some are to be connected."""
        return bool(self._lost)

    @staticmethod
    def send(connection: Connection, request: bytes, at_s: float) -> None:
        """Send a request: nothing else is under way, so it fits in the buffer."""
        assert connection.sock is not None
        connection.data, connection.sent_at_s = b"", at_s
        try:
            connection.sock.send(request)
        except OSError:
            return  # seen by the poll as well, and counted once there

    def answered(self, timeout_s: float) -> Iterator[tuple[Connection, bool, bool]]:
        """Wait for answers: yields ``connection, is_success, is_open``."""
        opened = self._open
        for number in self._poll.wait(timeout_s):
            connection = opened[number]
            sock = connection.sock
            assert sock is not None
            try:
                data = sock.recv(CHUNK_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self._lose(number, connection)
                yield connection, False, False
                continue
            if connection.data:
                data = connection.data + data
            is_success = finished(data)
            if is_success is None:
                connection.data = data
            else:
                yield connection, is_success, True

    def sent_at_s(self) -> list[float]:
        """Return from when the requests count that are under way."""
        return [c.sent_at_s for c in self._open.values() if c.sent_at_s]

    def close(self) -> None:
        """End all of them."""
        for connection in self._open.values():
            if connection.sock is not None:
                connection.sock.close()
        self._open.clear()

    def _lose(self, number: int, connection: Connection) -> None:
        self._poll.unregister(number)
        del self._open[number]
        assert connection.sock is not None
        connection.sock.close()
        connection.sock = None
        self._lost.append(connection)
        self._postpone(connection)

    def _postpone(self, connection: Connection) -> None:
        connection.again_at_s = time.perf_counter() + AGAIN_S
        connection.address = (connection.address + 1) % len(self._addresses)
