"""What scenarios register: services of five instances, that live by heartbeats."""

from collections.abc import Iterable, Sequence

import orjson
import uvloop

from bench import client
from bench.load.stream import request
from bench.peers.peer import LONG_TTL_S

PER_SERVICE = 5
CONNECTIONS = 64


def body(number: int) -> dict[str, object]:
    """Return the registration with this number, as a client would send it."""
    return {
        "name": service(number // PER_SERVICE),
        "host": host(number),
        "port": 8080,
        "ttl_seconds": LONG_TTL_S,
        "metadata": {"version": "1.2.3", "region": "eu"},
    }


def host(number: int) -> str:
    """Return an address, a new one for each number."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def service(number: int) -> str:
    """Return the name of a service."""
    return f"service-{number}"


def read(number: int) -> bytes:
    """Return the discovery read of a service."""
    return request("GET", f"/services/{service(number)}")


def write(number: int) -> bytes:
    """Return the request that registers the instance with this number."""
    return request("POST", "/register", orjson.dumps(body(number)))


def fill(urls: Sequence[str], first: int, until: int) -> None:
    """Register all numbers from ``first`` up to ``until``."""
    register(urls, map(write, range(first, until)))


def register(urls: Sequence[str], requests: Iterable[bytes]) -> list[bytes]:
    """Send registrations to all; return the answers, about in their order."""
    answers: list[bytes] = []
    load = client.run(urls, requests, connections=CONNECTIONS, answers=answers)
    uvloop.run(load)
    return answers


def registered_as(registration: bytes, **fields: object) -> bytes:
    """Return a registration with other values in some fields of its body."""
    body = orjson.loads(registration.partition(b"\r\n\r\n")[2]) | fields
    return request("POST", "/register", orjson.dumps(body))
