"""Ports of loopback that stay ours until the test is over."""

import socket

LOOPBACK = "127.0.0.1"


class ReservedPorts:
    """Hands out free ports, distinct ones, and holds them.

    Each is held by a socket that is bound and never listens: a replica may listen there
    (both set SO_REUSEADDR), but the system gives the number to nobody else, not even as
    the near end of a connection. So a replica finds its port again after it was killed.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def take(self) -> int:
        """Reserve one more port."""
        sock = socket.socket()
        self._held.append(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK, 0))
        port: int = sock.getsockname()[1]
        return port

    def close(self) -> None:
        """Give all ports free."""
        for sock in self._held:
            sock.close()
        self._held.clear()
