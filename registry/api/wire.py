"""Answers as bytes, header by header as aiohttp would send them."""

import time
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE

_SERVER = b"\r\nServer: " + SERVER_SOFTWARE.encode() + b"\r\n\r\n"
_STATUS_LINES = {
    s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus
}


class Dates:
    """The Date header, made anew each second."""

    def __init__(self) -> None:
        self._at_s = 0
        self._now = b""

    def now(self) -> bytes:
        """Return what stands behind ``Date: ``."""
        at_s = int(time.time())
        if at_s != self._at_s:
            self._at_s, self._now = at_s, formatdate(at_s, usegmt=True).encode()
        return self._now


def head(response: web.Response, length: int | None) -> bytes:
    """Return an answer up to its date; ``length`` is that of its body, if it has one.

    The headers of a response are ours alone: no value of them has a line break.
    """
    lines = [_STATUS_LINES[response.status]]
    lines += [f"{k}: {v}\r\n".encode() for k, v in response.headers.items()]
    if length is not None:
        lines.append(b"Content-Length: %d\r\n" % length)
    lines.append(b"Date: ")
    return b"".join(lines)


def whole(head: bytes, date: bytes, body: bytes = b"") -> bytes:
    """Return an answer from its parts."""
    return b"".join((head, date, _SERVER, body))


def answer(response: web.Response, date: bytes) -> bytes:
    """Return the whole answer of a response whose body is bytes."""
    body = response.body
    assert isinstance(body, bytes)
    return whole(head(response, len(body)), date, body)


def unchanged(response: web.Response, date: bytes) -> bytes:
    """Return the whole answer of a response without a body."""
    return whole(head(response, None), date)
