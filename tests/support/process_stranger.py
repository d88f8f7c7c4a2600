"""A stranger at a replica's Raft port, with or without the cluster's key.

Blocking sockets; the handshake is the links' own, so that what follows it can be forged
by somebody who really holds the key.
"""

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.links.framing import framed
from cluster.links.handshake import Established, Initiator, Party
from cluster.links.settings import Security
from tests.support.process_ports import LOOPBACK

DEADLINE_S = 8.0


class Stranger:
    """One connection to a Raft port."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((LOOPBACK, port), DEADLINE_S)
        self._established: Established | None = None

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are; that the other side has closed is no failure."""
        try:
            self._socket.sendall(data)
        except ConnectionError:
            return

    def send_frame(self, frame: bytes) -> None:
        """Send a frame as a member would: sealed."""
        assert self._established is not None
        self.send(framed(self._established.sealer.seal(frame)))

    def wait_closed(self) -> None:
        """Return once the other side has closed. TimeoutError if it does not."""
        try:
            while self._socket.recv(65_536):
                continue
        except ConnectionError:
            return

    def enter(self, own: str, peer: str, security: Security, hello: bytes) -> bytes:
        """Go through the handshake as ``own``; return the hello of ``peer``.

        Without a hello of our own it breaks off when theirs is there.
        """
        theirs: list[bytes] = []
        party = Party(own, security, lambda: hello, lambda _, said: theirs.append(said))
        initiator = Initiator(party, peer)
        self.send(framed(initiator.start()))
        while True:
            step = initiator.receive(self._message())
            if step.established is not None or not hello:
                self._established = step.established
                return theirs[0]
            self.send(framed(step.send))

    def _message(self) -> bytes:
        return self._exactly(int.from_bytes(self._exactly(4), "big"))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise ConnectionError("closed by the other side")
            data += part
        return data


@contextmanager
def many_descriptors(count: int) -> Iterator[None]:
    """Let this process hold so many sockets, if the system allows it at all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
