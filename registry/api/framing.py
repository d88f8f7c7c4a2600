"""Which whole, plain requests a chunk of bytes is made of: httptools parses, we judge.

Every chunk of a connection passes here, also those that aiohttp answers, so that it is
always known whether a chunk begins at the border of two requests. Plain is a request
that any server understands alike: HTTP/1.1, each header once, a body of known length or
none, and no header that asks for more than an ordinary answer. At the first thing that
two parsers could take differently a connection is left to aiohttp for good.
"""

from typing import Any

import httptools
import msgspec

MAX_HEAD_BYTES = 8 * 1024 - 2
"""Of all heads of a chunk together: no line of it can be beyond aiohttp's limit."""
MAX_HEADERS = 64
MAX_CHUNK_BYTES = 64 * 1024

_CONDITION = b"if-none-match"
_DECISIVE = frozenset(
    (
        b"authorization",  # the place for a principal per request, once there are some
        b"content-encoding",
        b"expect",
        b"http2-settings",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_MOST_NAMES_KNOWN = 1_024


class _Names(msgspec.Struct, frozen=True, gc=False):
    """What the names of a request's headers say, in the order and case sent."""

    are_plain: bool
    part_parsers: bool
    """Two parsers may take what follows differently."""
    condition: bytes | None
    """How If-None-Match is written here."""


def _judge(names: tuple[bytes, ...]) -> _Names:
    lower = {name.lower(): name for name in names}
    are_plain = (
        len(lower) == len(names) < MAX_HEADERS
        and b"host" in lower  # aiohttp refuses to do without
        and lower.keys().isdisjoint(_DECISIVE)
        and not any(name.startswith(b"sec-websocket") for name in lower)
    )
    parted = b"transfer-encoding" in lower or b"upgrade" in lower
    return _Names(are_plain, parted, lower.get(_CONDITION))


_known: dict[tuple[bytes, ...], _Names] = {}
"""Judgements by the names alone, which clients seldom change: values may be new with
each request.
"""


def _judged(names: tuple[bytes, ...]) -> _Names:
    judged = _judge(names)
    if len(_known) >= _MOST_NAMES_KNOWN:
        _known.clear()  # somebody makes them up
    if sum(map(len, names)) <= MAX_HEAD_BYTES:
        _known[names] = judged
    return judged


class PlainRequest(msgspec.Struct, gc=False):
    """One whole request; ``target`` and ``condition`` are as they were sent."""

    method: bytes
    target: bytes
    condition: bytes | None
    """The value of If-None-Match."""
    body: bytes


class Framing:
    """The requests of one connection. Invariant: it has seen every byte, in order.

    httptools looks these callbacks up once, so most of them are methods of containers:
    a header costs no Python frame.
    """

    def __init__(self) -> None:
        self._requests: list[PlainRequest] = []
        self._targets: list[bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._border = [True]
        """Not empty while no request is under way."""
        self._lines = 0
        self._body_bytes = 0
        self._is_plain = True
        self._is_lost = False
        self.on_message_begin = self._border.clear
        self.on_url = self._targets.append
        self.on_header = self._headers.__setitem__
        self.on_body = self._pieces.append
        self._parser: Any = httptools.HttpRequestParser(self)
        self._feed = self._parser.feed_data

    def scan(self, data: bytes) -> list[PlainRequest] | None:
        """Take the next chunk. Return its requests, or None if it is anything but
        whole, plain ones.
        """
        if self._is_lost:
            return None
        begins_at_border = bool(self._border)
        try:
            self._feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._is_lost = True  # it is aiohttp's business to say what is wrong
        requests, self._requests = self._requests, []
        ends_at_border = bool(self._border)
        is_plain = (
            self._is_plain
            and begins_at_border
            and ends_at_border
            # The lines told are all lines: no header came twice, none was folded.
            and self._lines == data.count(b"\n")
            and data.count(b" HTTP/1.1\r\n") == len(requests)
            and data.count(b" HTTP/1.") == len(requests)
            and len(data) - self._body_bytes <= MAX_HEAD_BYTES
            and len(data) <= MAX_CHUNK_BYTES
        )
        self._lines = self._body_bytes = 0
        self._is_plain = ends_at_border
        if not ends_at_border:  # of what is under way nothing is kept: it is aiohttp's
            self._pieces.clear()
        return requests if is_plain and not self._is_lost else None

    def on_message_complete(self) -> None:
        """Keep the request that ends here; called by the parser."""
        headers, parser = self._headers, self._parser
        body = b""
        if self._pieces:
            body = b"".join(self._pieces)
            self._pieces.clear()
            self._body_bytes += len(body)
            self._lines += body.count(b"\n")
        names = tuple(headers)
        judged = _known.get(names) or _judged(names)
        if not judged.are_plain or not parser.should_keep_alive():
            self._is_plain = False
            self._is_lost = self._is_lost or judged.part_parsers
        condition = headers[judged.condition] if judged.condition else None
        self._lines += len(headers) + 2
        target = self._targets[0] if len(self._targets) == 1 else b""
        self._requests.append(
            PlainRequest(parser.get_method(), target, condition, body)
        )
        headers.clear()
        self._targets.clear()
        self._border.append(True)
