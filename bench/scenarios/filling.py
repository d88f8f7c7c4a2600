"""What scenarios register: services of five instances, that live by heartbeats."""

from collections.abc import Iterator, Sequence
from itertools import islice

import orjson
import uvloop

from bench import client
from bench.load.stream import request
from bench.results import Outcome
from bench.scenarios.stage import Stage

PER_SERVICE = 5
CONNECTIONS = 64
LONG_TTL_S = 3_600
"""Longer than any scenario: nothing ends by itself."""
OWN_CLUSTER = "a cluster of its own, which it needs: left out with --url"


def body(number: int, *, ttl_s: int = LONG_TTL_S) -> dict[str, object]:
    """Return the registration with this number, as a client would send it."""
    return {
        "name": service(number // PER_SERVICE),
        "host": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "port": 8080,
        "ttl_seconds": ttl_s,
        "metadata": {"version": "1.2.3", "region": "eu"},
    }


def service(number: int) -> str:
    """Return the name of a service."""
    return f"service-{number}"


def read(number: int) -> bytes:
    """Return the discovery read of a service."""
    return request("GET", f"/services/{service(number)}")


def write(number: int, *, ttl_s: int = LONG_TTL_S) -> bytes:
    """Return the request that registers the instance with this number."""
    return request("POST", "/register", orjson.dumps(body(number, ttl_s=ttl_s)))


def fill(
    urls: Sequence[str], first: int, until: int, *, ttl_s: int = LONG_TTL_S
) -> list[str]:
    """Register all numbers from ``first`` up to ``until``; return their ids.

    In the order of the answers, which is about that of the numbers.
    """
    answers: list[bytes] = []
    wanted = islice(_writes(first, ttl_s), until - first)
    load = client.run(urls, wanted, connections=CONNECTIONS, answers=answers)
    uvloop.run(load)
    return [str(orjson.loads(answer)["service_id"]) for answer in answers]


def left_out(stage: Stage, name: str, workload: str) -> Outcome | None:
    """Return what is told of a scenario that cannot use a given cluster, if one is."""
    if stage.url is None:
        return None
    return Outcome(name, workload, samples=(), figures=(), absent=(OWN_CLUSTER,))


def _writes(first: int, ttl_s: int) -> Iterator[bytes]:
    number = first
    while True:
        yield write(number, ttl_s=ttl_s)
        number += 1
