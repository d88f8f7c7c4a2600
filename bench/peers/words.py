"""How registries are asked: our HTTP API, and what answers always the same."""

import orjson

from bench.load.stream import request
from bench.peers.peer import BODY, LONG_TTL_S


class RegistryWords:
    """The HTTP API of this registry, and of each that took it over.

    Where others use the server, ``prefix`` keeps our services apart from theirs.
    """

    def __init__(self, prefix: str = "", ttl_s: int = LONG_TTL_S) -> None:
        self._prefix = prefix
        self._ttl_s = ttl_s

    def register(self, service: str, host: str) -> bytes | None:
        """`POST /register`."""
        name = self._prefix + service
        body = BODY | {"name": name, "host": host, "ttl_seconds": self._ttl_s}
        return request("POST", "/register", orjson.dumps(body))

    def read(self, service: str) -> bytes:
        """`GET /services/NAME`."""
        return request("GET", f"/services/{self._prefix}{service}")

    def consistent_read(self, service: str) -> bytes | None:
        """The same with ``consistent=true``."""
        return request("GET", f"/services/{self._prefix}{service}?consistent=true")

    def heartbeat(self, registered: bytes) -> bytes | None:
        """`POST /heartbeat/ID`, without a body."""
        return request("POST", f"/heartbeat/{orjson.loads(registered)['service_id']}")

    def deregister(self, registered: bytes) -> bytes:
        """`DELETE /deregister/ID`, of what this is the answer to."""
        service_id = orjson.loads(registered)["service_id"]
        return request("DELETE", f"/deregister/{service_id}")


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
