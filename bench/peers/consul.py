"""Consul, where somebody runs one: `--consul URL`, with commas between several.

Reads are those that any server answers by itself (``stale``) and that leave out what
is not healthy (``passing``), as ours do. A registration goes to the catalog: what goes
to an agent arrives there later.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from bench.load.stream import request
from bench.peers.peer import BODY, NotHere, Peer, Server, Setting
from bench.peers.url import answered, split

NAME = "consul"
OK = 200


class ConsulWords:
    """Its HTTP API."""

    def register(self, service: str, host: str) -> bytes | None:
        """Put a node's service into the catalog."""
        known = {
            "ID": f"{service}-{host}",
            "Service": service,
            "Address": host,
            "Port": BODY["port"],
            "Meta": BODY["metadata"],
        }
        body = {"Node": f"bench-{service}", "Address": "127.0.0.1", "Service": known}
        return request("PUT", "/v1/catalog/register", orjson.dumps(body))

    def read(self, service: str) -> bytes:
        """Return the healthy ones, as the server that was asked knows them."""
        return request("GET", f"/v1/health/service/{service}?passing&stale")

    def consistent_read(self, service: str) -> bytes | None:
        """The same after the leader has asked the others."""
        return request("GET", f"/v1/health/service/{service}?passing&consistent")

    def heartbeat(self, registered: bytes) -> bytes | None:
        """Nothing: a check that stays as it was is no write of its."""
        return None


@contextmanager
def consul(setting: Setting) -> Iterator[Peer]:
    """Measure what runs at the URL. It is not started here."""
    if NAME not in setting.named:
        raise NotHere(f"{NAME}: no --consul URL was given")
    urls = split(NAME, setting.named[NAME])
    for url in urls:
        if answered(NAME, url, "/v1/status/leader").status != OK:
            raise NotHere(f"{NAME}: {url} answers, but is no Consul")
    yield Peer(NAME, tuple(Server(url) for url in urls), ConsulWords())
