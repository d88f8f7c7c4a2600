"""The requests that a load sends: prebuilt, in turn, with a number in them if wanted.

A number has always 16 digits, so a request keeps its length whatever it says. They make
each ``traceparent`` and each registered host a new one.
"""

from collections.abc import Iterator
from itertools import count

import msgspec

NUMBER = b"{number}"
"""Stands for the number of the request, wherever it is in it."""
DIGITS = 16
TRACEPARENT = b"traceparent: 00-" + NUMBER * 2 + b"-" + NUMBER + b"-01\r\n"
"""A header line that is new with each request."""


def request(
    method: str, path: str, body: bytes = b"", *, headers: bytes = b""
) -> bytes:
    """Return the bytes of one request; each line of ``headers`` ends in CR LF."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n".encode() + headers
    if body:
        length = len(body) + body.count(NUMBER) * (DIGITS - len(NUMBER))
        head += b"Content-Type: application/json\r\n"
        head += f"Content-Length: {length}\r\n".encode()
    elif method != "GET":
        head += b"Content-Length: 0\r\n"
    return head + b"\r\n" + body


class Stream(msgspec.Struct, frozen=True):
    """Requests that are sent one after another, and again from the first."""

    requests: tuple[bytes, ...]
    first: int = 0
    """The number of the first one, where they have a number."""
    step: int = 1

    @property
    def is_constant(self) -> bool:
        """Whether all that is sent is the same."""
        return len(self.requests) == 1 and NUMBER not in self.requests[0]

    def part(self, index: int, of: int) -> "Stream":
        """Return one of ``of`` streams that have no number in common.

        Where there are enough requests, they have none of these in common either.
        """
        own = self.requests[index::of] or self.requests
        return Stream(own, first=self.first + index * self.step, step=of * self.step)

    def __iter__(self) -> Iterator[bytes]:
        """Return what is sent, without end."""
        parts = [whole.split(NUMBER) for whole in self.requests]
        if all(len(pieces) == 1 for pieces in parts):
            while True:
                yield from self.requests
        for index, number in enumerate(count(self.first, self.step)):
            yield b"%016d".__mod__(number).join(parts[index % len(parts)])
