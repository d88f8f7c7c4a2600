"""Heads of requests, from the usual to the absurd: what is plain, and what is not."""

import pytest

from registry.api.connection import MAX_HEADERS, MAX_LINE_BYTES
from tests.support.differential import both
from tests.support.http_bytes import chunked, get, heartbeat, register, request

WEB = "/services/web"
TOP = b"GET /services/web HTTP/1.1\r\n"
BODY = b'{"name":"web","host":"h","port":1}'
OLD = get(WEB, "Connection: keep-alive").replace(b"/1.1", b"/1.0")
OLD_WRITE = request(
    "POST", "/register", "Connection: keep-alive", body=b'{"x": HTTP/1.1\r\n}'
).replace(b"register HTTP/1.1", b"register HTTP/1.0")
"""Of the former version, with a line that could be taken for one of ours."""
FRAMED = b"POST /register HTTP/1.1\r\nHost: x\r\n"


def _lines(count: int) -> list[str]:
    return [f"X-{number}: y" for number in range(count)]


@pytest.mark.parametrize(
    "head",
    [
        get(),
        get(WEB, "Connection: keep-alive"),
        get(WEB, "Connection: KEEP-ALIVE", "user-agent: wrk", "Accept: */*"),
        get(WEB, "traceparent: 00-1-2-01", "X-Request-Id: 7", "Cookie: a=b"),
        get(WEB, "Content-Length: 0"),
        get(WEB, "X-Tab:\ta\tb\t"),
        get(WEB, "X-Latin: \xe9"),
        get(WEB, *_lines(MAX_HEADERS - 2)),
        get(WEB, "Content-Type: application/json"),
        TOP + b"host: y\r\n\r\n",
        heartbeat("web-1", "Content-Type: application/json"),
        request("POST", "/heartbeat/web-1"),
        register(80, "Content-Type: text/plain", "Accept: */*"),
    ],
)
async def test_a_usual_head_is_hot(head: bytes) -> None:
    """With whatever headers change no answer."""
    async with both() as sides:
        await sides.agree([head], hot=1)
        await sides.agree([head + head, head], hot=3)


@pytest.mark.parametrize(
    "head",
    [
        request("HEAD", WEB),
        request("OPTIONS", WEB),
        request("POST", WEB),
        request("GET", "/register"),
        request("get", WEB),
        request("QUX", WEB),
        request("", WEB),
        request("PUT", "/heartbeat/web-1", body=b""),
        get(WEB, "Expect: 100-continue"),
        get(WEB, "Expect: nothing"),
        request("POST", "/register", "Expect: 100-continue", body=BODY),
        get(WEB, "Connection: close"),
        get(WEB, "Connection: CLOSE"),
        get(WEB, "connection: keep-alive, close"),
        get(WEB, "Connection: keep-alive", "Connection: close"),
        heartbeat("web-1", "Connection: close"),
        register(80, "connection: Close"),
        get().replace(b"/1.1", b"/1.0"),
        OLD,
        heartbeat().replace(b"/1.1", b"/1.0"),
        OLD.replace(b"\r\n\r\n", b"\r\nX: HTTP/1.1\r\n\r\n"),
        OLD_WRITE,
        *(get().replace(b"/1.1", v) for v in (b"/0.9", b"/1.2", b"/2.0", b"/9", b"")),
        get().replace(b"HTTP/1.1", b"http/1.1"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        get(WEB, "Connection: Upgrade", "Upgrade: websocket"),
        get(WEB, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"),
        get(WEB, "Upgrade: h2c"),
        get(WEB, "Sec-WebSocket-Key1: x"),
        get(WEB, "X: " + "y" * MAX_LINE_BYTES),
        get(WEB, "X" * MAX_LINE_BYTES + ": y"),
        get(f"{WEB}?x=" + "y" * MAX_LINE_BYTES),
        get(WEB, *_lines(MAX_HEADERS - 1)),
        get(WEB, *_lines(MAX_HEADERS)),
        get(WEB, *_lines(500)),
        get().replace(b"\r\n", b"\n"),
        get(WEB, "X: y").replace(b"y\r\n", b"y\n"),
        get(WEB, "X: y").replace(b"y\r\n", b"y\r"),
        TOP.replace(b"\r\n", b"\n") + b"Host: x\r\n\r\n",
        get(WEB, "X: y\r\n z"),
        get(WEB, "X: y\r\n\tz"),
        TOP + b" Host: x\r\n\r\n",
        b"\r\n" + get(),
        b"\r\n\r\n\r\n" + heartbeat(),
        b"\n" + get(),
        b" " + get(),
        TOP + b"\r\n",
        TOP + b"Host: x\r\nHost: x\r\n\r\n",
        TOP + b"Host: x\r\nhost: y\r\n\r\n",
        TOP + b"host: x\r\nHOST: y\r\n\r\n",
        get(WEB, "User-Agent: x", "User-Agent: y"),
        get(WEB, "User-Agent: x", "user-agent: y"),
        heartbeat("web-1", "Content-Type: x", "content-type: y"),
        get(WEB, "ETag: x", "etag: y"),
        get(WEB, "Server: x", "SERVER: y"),
        TOP + b"Host : x\r\n\r\n",
        TOP + b"Host: x\r\n: y\r\n\r\n",
        TOP + b"Host: x\r\nno colon\r\n\r\n",
        get(WEB, "X(: y"),
        get(WEB, "X: y\x00"),
        get(WEB, "X: \x01"),
        get(WEB, "X: y\rz"),
        get("/services/web\x01"),
        get("/services/web\tx"),
        get("/services/web x"),
        get(WEB, "Authorization: Bearer x"),
        get(WEB, "Content-Length: 5") + b"hello",
        get(WEB, "Content-Length: -1"),
        get(WEB, "Content-Length: +0"),
        get(WEB, "Content-Length: 0x0"),
        get(WEB, "Content-Length: 0, 0"),
        get(WEB, "Content-Length: 0", "Content-Length: 0"),
        get(WEB, "Content-Length: 0", "content-length: 5") + b"hello",
        get(WEB, "Content-Length: 18446744073709551616"),
        FRAMED + b"Content-Length: 34\r\nContent-Length: 34\r\n\r\n" + BODY,
        FRAMED + b"Content-Length: 34\r\ncontent-length: 2\r\n\r\n" + BODY,
        FRAMED + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        FRAMED + b"Content-Length: 2\r\nTransfer-Encoding: identity\r\n\r\n{}",
        FRAMED + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        FRAMED + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        FRAMED + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nHost: y\r\n\r\n",
        FRAMED + b"\r\n",
        chunked("POST", "/register", BODY),
        chunked("POST", "/register", BODY[:9], BODY[9:]),
        chunked("POST", "/heartbeat/web-1"),
        request("POST", "/register", "Content-Encoding: gzip", body=BODY),
        b"GET\r\n\r\n",
        b"\x00" * 20 + b"\r\n\r\n",
    ],
)
async def test_any_other_head_is_left_to_aiohttp(head: bytes) -> None:
    """Alone, among hot requests in one chunk, and between them."""
    async with both() as sides:
        await sides.agree([head], hot=0)
        await sides.agree([get() + head + get()])
        await sides.agree([get(), head, get(), heartbeat()])
        await sides.agree([heartbeat(), head, get()])
