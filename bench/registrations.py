"""Registrations by number: each an address of its own, many services."""

from collections.abc import Iterator
from itertools import count

import orjson

from bench.client import request

PER_SERVICE = 10


def body(number: int) -> dict[str, object]:
    """Return what a client would send."""
    return {
        "name": f"service-{number // PER_SERVICE}",
        "host": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "port": 8080,
        "health_endpoint": "/health",
        "ttl_seconds": 0,
        "metadata": {"version": "1.2.3", "region": "eu"},
    }


def requests(first: int = 0) -> Iterator[bytes]:
    """Return `POST /register` for each number from ``first`` on, without end."""
    for number in count(first):
        yield request("POST", "/register", orjson.dumps(body(number)))
