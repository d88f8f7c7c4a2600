"""How registries are asked: our HTTP API, and what answers always the same."""

import orjson

from bench.load.stream import request
from bench.peers.peer import BODY


class RegistryWords:
    """The HTTP API of this registry, and of each that took it over."""

    def register(self, service: str, host: str) -> bytes | None:
        """`POST /register`."""
        body = BODY | {"name": service, "host": host}
        return request("POST", "/register", orjson.dumps(body))

    def read(self, service: str) -> bytes:
        """`GET /services/NAME`."""
        return request("GET", f"/services/{service}")

    def consistent_read(self, service: str) -> bytes | None:
        """The same with ``consistent=true``."""
        return request("GET", f"/services/{service}?consistent=true")

    def heartbeat(self, registered: bytes) -> bytes | None:
        """`POST /heartbeat/ID`, without a body."""
        return request("POST", f"/heartbeat/{orjson.loads(registered)['service_id']}")


class AloneWords(RegistryWords):
    """The same API in one process: it has nobody to agree with."""

    def consistent_read(self, service: str) -> bytes | None:
        """Nothing: each read is one, at no cost."""
        return None


class ConstantWords:
    """Of a server that has one answer: the read's."""

    def __init__(self, read: bytes) -> None:
        self._read = read

    def register(self, service: str, host: str) -> bytes | None:
        """Nothing: it holds no registrations."""
        return None

    def read(self, service: str) -> bytes:
        """The same for each service."""
        return self._read

    def consistent_read(self, service: str) -> bytes | None:
        """Nothing."""
        return None

    def heartbeat(self, registered: bytes) -> bytes | None:
        """Nothing."""
        return None
