"""Any server with the same HTTP API, given by URL: `--peer NAME=URL`, or `--url`.

It is somebody's. So what is registered there has names of its own, ends by itself soon,
and is taken back before that as far as its ids are known.
"""

import http.client
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import orjson
import uvloop

from bench import client
from bench.peers.peer import NotHere, Opening, Peer, Server, Setting
from bench.peers.words import RegistryWords
from tests.support.process_http import Reply, ask

SCHEME = "http://"
TTL_S = 600
"""Longer than any scenario needs what it registered once, at a slow cluster too."""
ASK_S = 3.0
TAKING_BACK = 16
"""Connections that deregister."""


def is_url(text: str) -> bool:
    """Whether it is no program."""
    return text.startswith(SCHEME)


def by_url(name: str, urls: str) -> Opening:
    """Return how to measure what runs at one URL, or at several with commas between."""

    @contextmanager
    def opened(setting: Setting) -> Iterator[Peer]:
        servers = tuple(Server(url) for url in split(name, urls))
        for server in servers:
            if not _is_registry(answered(name, server.url, "/services/any")):
                raise NotHere(f"{name}: {server.url} answers, but is no registry")
        prefix = f"bench-{time.time_ns() // 1000:x}-"
        words = RegistryWords(prefix, TTL_S)
        peer = Peer(name, servers, words)
        setting.tell(
            f"{name}: registers services {prefix}* at {urls}; they are deregistered at "
            f"the end, and what is not ends by itself {TTL_S} s after its last sign"
        )
        try:
            yield peer
        finally:
            _take_back(peer, words, setting)

    return opened


def split(name: str, urls: str) -> Sequence[str]:
    """Return each URL, always with a port. Raises NotHere with what is wrong in it."""
    return [_checked(name, url) for url in urls.split(",")]


def answered(name: str, url: str, path: str) -> Reply:
    """Return what a server says. Raises NotHere if it says nothing."""
    try:
        return ask(url, path, timeout_s=ASK_S)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotHere(f"{name}: {url} does not answer ({error})") from error


def _checked(name: str, url: str) -> str:
    if not url:
        raise NotHere(f"{name}: a URL is empty")
    if not is_url(url):
        raise NotHere(f"{name}: {url!r} does not begin with {SCHEME}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise NotHere(f"{name}: {url!r} is no URL ({error})") from error
    if not host or port == 0:
        raise NotHere(f"{name}: {url!r} names no host, or port 0")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise NotHere(f"{name}: {url!r} has more than a host and a port")
    return SCHEME + (parts.netloc if port else f"{parts.netloc.rstrip(':')}:80")


def _is_registry(reply: Reply) -> bool:
    """Whether it is how our API lists a service that nobody registered."""
    try:
        document = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(document, dict) and "instances" in document


def _take_back(peer: Peer, words: RegistryWords, setting: Setting) -> None:
    """Deregister what filled it. What fails ends by itself."""
    requests = [words.deregister(answer) for answer in peer.answers]
    try:
        uvloop.run(client.run(peer.urls, requests, connections=TAKING_BACK))
    except (OSError, RuntimeError, TimeoutError) as error:
        setting.tell(f"{peer.name}: not all is deregistered ({error})")
