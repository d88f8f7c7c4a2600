"""HTTP load as light as Python allows: prebuilt requests, answers barely looked at."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

DEADLINE_S = 120.0
HEAD_END = b"\r\n\r\n"


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """Return the bytes of one request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}"
    return head.encode() + HEAD_END + body


class _Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last is whole."""

    def __init__(self, requests: Iterator[bytes], answers: list[bytes] | None) -> None:
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._answers = answers
        self._count = 0
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's own class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(HEAD_END)
        if not end:
            return
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if len(body) < int(length):
            return
        self._data = b""
        if not head.startswith(b"HTTP/1.1 200"):
            self._end(RuntimeError(f"not a success: {head[:200]!r} {body[:200]!r}"))
            return
        self._count += 1
        if self._answers is not None:
            self._answers.append(body)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(ConnectionError(f"the replica closed the connection: {exc}"))

    def _next(self) -> None:
        assert self._transport is not None
        data = next(self._requests, None)
        if data is None:
            self._end(None)
        else:
            self._transport.write(data)

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(self._count)
            else:
                self.done.set_exception(error)
            if self._transport is not None:
                self._transport.close()


async def run(
    urls: Sequence[str],
    requests: Iterable[bytes],
    *,
    connections: int,
    answers: list[bytes] | None = None,
) -> int:
    """Send all requests over so many connections; return how many were answered."""
    loop = asyncio.get_running_loop()
    shared = iter(requests)
    made = []
    for number in range(connections):
        parts = urlsplit(urls[number % len(urls)])
        _, connection = await loop.create_connection(
            lambda: _Connection(shared, answers), parts.hostname or "", parts.port or 0
        )
        made.append(connection.done)
    async with asyncio.timeout(DEADLINE_S):
        return sum(await asyncio.gather(*made))


def for_a_while(requests: Iterable[bytes], seconds: float) -> Iterator[bytes]:
    """Return requests until the time is over."""
    until_s = time.perf_counter() + seconds
    for data in requests:
        if time.perf_counter() >= until_s:
            return
        yield data
