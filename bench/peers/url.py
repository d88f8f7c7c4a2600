"""Any server with the same HTTP API, given by URL: `--peer NAME=URL`, or `--url`."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.peer import NotHere, Opening, Peer, Server, Setting
from bench.peers.words import RegistryWords
from tests.support.process_http import try_ask


def is_url(text: str) -> bool:
    """Whether it is no program."""
    return text.startswith("http://")


def by_url(name: str, urls: str) -> Opening:
    """Return how to measure what runs at one URL, or at several with commas between."""

    @contextmanager
    def opened(setting: Setting) -> Iterator[Peer]:
        servers = tuple(Server(url.rstrip("/")) for url in urls.split(","))
        for server in servers:
            if not is_url(server.url) or try_ask(server.url, "/services/any") is None:
                raise NotHere(f"{name}: {server.url} does not answer")
        yield Peer(name, servers, RegistryWords())

    return opened
