"""Requests as bytes, in pieces: what a client could put on the wire."""

from collections.abc import Iterator, Sequence

import orjson

HOST = b"Host: x\r\n"
WARM = (
    "/services/web",
    "/services/web?status=all",
    "/services/web?tag=blue",
    "/services/web?tag=blue&tag=red",
    "/services/api",
    "/services/%77eb",
)
"""Targets that both sides were asked for before anything is compared."""


def request(
    method: str,
    target: str,
    *headers: str,
    body: bytes | None = None,
    host: bytes = HOST,
) -> bytes:
    """Return one request; with a body its length is told first."""
    lines = [f"{method} {target} HTTP/1.1\r\n".encode(), host]
    lines += [header.encode("latin-1") + b"\r\n" for header in headers]
    if body is not None:
        lines.append(b"Content-Length: %d\r\n" % len(body))
    return b"".join((*lines, b"\r\n", body or b""))


def get(target: str = "/services/web", *headers: str) -> bytes:
    """Return a GET."""
    return request("GET", target, *headers)


def heartbeat(service_id: str = "web-1", *headers: str) -> bytes:
    """Return a heartbeat without a body."""
    return request("POST", f"/heartbeat/{service_id}", *headers, body=b"")


def register(port: int = 8080, *headers: str, **fields: object) -> bytes:
    """Return a registration of one more instance of ``web``."""
    wanted = {"name": "web", "host": "10.0.0.9", "port": port, **fields}
    return request("POST", "/register", *headers, body=orjson.dumps(wanted))


def chunked(method: str, target: str, *chunks: bytes) -> bytes:
    """Return a request whose body comes in chunks."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return request(method, target, "Transfer-Encoding: chunked") + body + b"0\r\n\r\n"


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Return the data in pieces, cut at these places (those within it)."""
    ends = sorted({place for place in places if 0 < place < len(data)})
    starts = [0, *ends]
    return [data[a:b] for a, b in zip(starts, [*ends, len(data)], strict=True)]


def bytewise(data: bytes) -> list[bytes]:
    """Return each byte as a piece."""
    return [data[i : i + 1] for i in range(len(data))]


def cut_in_two(data: bytes) -> Iterator[list[bytes]]:
    """Return every way to cut the data in two pieces."""
    for place in range(1, len(data)):
        yield [data[:place], data[place:]]
