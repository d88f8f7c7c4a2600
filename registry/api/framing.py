"""Which whole, plain requests a chunk of bytes is made of: httptools parses, we judge.

Every chunk of a connection passes here, also those that aiohttp answers, so that it is
always known whether a chunk begins at the border of two requests. Plain is a request
that any server understands alike: HTTP/1.1, each header once, a body of known length or
none, and no header that asks for more than an ordinary answer. At the first thing that
two parsers could take differently a connection is left to aiohttp for good.
"""

from functools import partial
from typing import Any

import httptools
import msgspec

MAX_HEAD_BYTES = 8 * 1024 - 2
"""Of all heads of a chunk together: no line of it can be beyond aiohttp's limit."""
MAX_HEADERS = 64
MAX_CHUNK_BYTES = 64 * 1024

Headers = dict[bytes, bytes]

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
_LENGTH = b"content-length"
_PARTING = frozenset((b"transfer-encoding", b"upgrade"))
"""Behind such a request two parsers may take what follows differently."""
_VERSION = b" HTTP/1.1\r\n"
_END_OF_HEAD = b"\r\n\r\n"
_BEGUN = [False]
_ONE_WHOLE = [False, True]
_MOST_NAMES_KNOWN = 1_024


class _Names(msgspec.Struct, frozen=True, gc=False):
    """What the names of a request's headers say, in the order and case sent."""

    are_plain: bool
    lines: int
    """Of the head, if no header came twice and none was folded."""
    condition: bytes | None
    """How If-None-Match is written here."""
    connection: bytes | None
    """How Connection is."""


def _judge(names: tuple[bytes, ...]) -> _Names:
    lower = {name.lower(): name for name in names}
    are_plain = (
        len(lower) == len(names) < MAX_HEADERS
        and b"host" in lower  # aiohttp refuses to do without
        and lower.keys().isdisjoint(_DECISIVE)
        and not any(name.startswith(b"sec-websocket") for name in lower)
    )
    condition, connection = lower.get(b"if-none-match"), lower.get(b"connection")
    return _Names(are_plain, len(names) + 2, condition, connection)


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


class PlainRequest(msgspec.Struct, frozen=True, gc=False):
    """One whole request; ``target`` and ``condition`` are as they were sent."""

    method: bytes
    target: bytes
    condition: bytes | None
    """The value of If-None-Match."""
    body: bytes


def _plain(
    data: bytes, method: bytes, target: bytes, headers: Headers, body: bytes
) -> PlainRequest | None:
    """Return the request that ``data`` is, byte for byte, unless it is not plain."""
    names = tuple(headers)
    judged = _known.get(names) or _judged(names)
    lines = judged.lines + body.count(b"\n") if body else judged.lines
    if (
        not judged.are_plain
        or data.count(b"\n") != lines
        or not data.startswith(_VERSION, len(method) + 1 + len(target))
    ):
        return None
    if judged.connection and headers[judged.connection].lower() != b"keep-alive":
        return None
    condition = headers[judged.condition] if judged.condition else None
    return PlainRequest(method, target, condition, body)


class _Parser:
    """httptools, filling containers.

    It looks its callbacks up once, and all of them are methods of containers: nothing
    of what it tells costs a Python frame.
    """

    def __init__(self) -> None:
        self.events: list[bool] = []
        """False: a request began; True: it is whole."""
        self.targets: list[bytes] = []
        self.headers: Headers = {}
        self.pieces: list[bytes] = []
        self.on_message_begin = partial(self.events.append, False)
        self.on_url = self.targets.append
        self.on_header = self.headers.__setitem__
        self.on_body = self.pieces.append
        self.on_message_complete = partial(self.events.append, True)
        parser: Any = httptools.HttpRequestParser(self)
        self.feed = parser.feed_data
        self.method = parser.get_method

    def clear(self) -> None:
        """Forget what was told."""
        self.events.clear()
        self.targets.clear()
        self.headers.clear()
        self.pieces.clear()


class Framing:
    """The requests of one connection.

    Invariant: it has seen every byte, in order. A chunk that repeats the last one, as
    those of a client that asks the same again do, is not parsed again: whole, plain
    requests leave the parser as they found it. That is one chunk per connection, so
    who sends something new each time pays for one comparison.
    """

    def __init__(self) -> None:
        self._parser = _Parser()
        self._is_at_border = True
        self._is_lost = False
        self._last = b""
        self._last_found: list[PlainRequest] = []

    def scan(self, data: bytes) -> list[PlainRequest] | None:
        """Take the next chunk. Return its requests, or None if it is anything but
        whole, plain ones.
        """
        if self._is_lost:
            return None
        if data == self._last and self._is_at_border:
            return self._last_found  # the same bytes are the same requests
        parser, begins_at_border = self._parser, self._is_at_border
        try:
            parser.feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._is_lost = True  # it is aiohttp's business to say what is wrong
            return None
        events = parser.events
        found: list[PlainRequest] | None = None
        if begins_at_border and events == _ONE_WHOLE and len(data) <= MAX_CHUNK_BYTES:
            pieces = parser.pieces
            body = b"".join(pieces) if pieces else b""
            if len(data) - len(body) <= MAX_HEAD_BYTES:
                request = _plain(
                    data, parser.method(), parser.targets[0], parser.headers, body
                )
                found = None if request is None else [request]
        elif events:
            self._is_at_border = events[-1]
            is_whole = begins_at_border and events[-1]
            if is_whole and len(data) <= MAX_CHUNK_BYTES:
                found = _split(data, events.count(True))
        if found is None:
            self._is_lost = any(name.lower() in _PARTING for name in parser.headers)
        elif len(data) <= MAX_HEAD_BYTES:
            self._last, self._last_found = data, found
        parser.clear()
        return found


def _split(data: bytes, count: int) -> list[PlainRequest] | None:
    """Return the ``count`` requests that ``data`` is, unless one of them is not plain.

    Each is parsed once more, by itself: they share containers above.
    """
    found: list[PlainRequest] = []
    head_bytes = 0
    for _ in range(count):
        end = data.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        parser = _Parser()
        parser.feed(data[:end])
        if parser.events == _BEGUN:
            length = next(
                (v for n, v in parser.headers.items() if n.lower() == _LENGTH), b"0"
            )
            end += int(length)
            parser.feed(data[end - int(length) : end])
        if parser.events != _ONE_WHOLE:
            return None
        body = b"".join(parser.pieces)
        head_bytes += end - len(body)
        request = _plain(
            data[:end], parser.method(), parser.targets[0], parser.headers, body
        )
        if request is None or head_bytes > MAX_HEAD_BYTES:
            return None
        found.append(request)
        data = data[end:]
    return found if not data else None


def rest_of(requests: list[PlainRequest], data: bytes, number: int) -> bytes:
    """Return the bytes of the request with this number, and of all behind it."""
    start = 0
    for request in requests[:number]:
        start = data.index(_END_OF_HEAD, start) + len(_END_OF_HEAD) + len(request.body)
    return data[start:]
