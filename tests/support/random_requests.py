"""Requests at random, well and badly formed, for the differential suite."""

from hypothesis import strategies as st

from tests.support.differential import QUIET, Manner
from tests.support.http_bytes import WARM, chunked, get, heartbeat, register, request

TARGETS = (
    *WARM,
    "/services/gone",
    "/services/web?status=all&status=all",
    "/services/web?tag=red",
    "/services/web?status=none",
    "/services/web?consistent=1",
    "/services/web?",
    "/services/web#x",
    "/services/web/",
    "//services/web",
    "/services",
    "http://x/services/web",
    "/nowhere",
)
NAMES = (
    "Host",
    "User-Agent",
    "Accept",
    "Connection",
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "If-None-Match",
    "If-Match",
    "Expect",
    "Upgrade",
    "Transfer-Encoding",
    "Authorization",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "traceparent",
    "Sec-WebSocket-Key1",
    "Sec-WebSocket-Key",
    "Content-Location",
    "ETag",
    "X-A",
)
VALUES = (
    "",
    "x",
    "close",
    "Close",
    "keep-alive",
    "Keep-Alive, close",
    "upgrade",
    "Upgrade, keep-alive",
    "websocket",
    "h2c",
    "0",
    "5",
    "+5",
    "-1",
    "0, 0",
    "chunked",
    "identity",
    "gzip",
    "100-continue",
    "*",
    '"cafe-4"',
    'W/"cafe-4"',
    'W/"cafe-5", "other"',
    "a" * 300,
    "\xff",
    "\t x \t",
    "x\x00y",
    "HTTP/1.1",
    "x HTTP/1.0",
    "x\x7fy",
)
FRAGMENTS = (
    *(b"\r\n", b"\n", b"\r", b" ", b":", b"\x00", b"\xff", b"0", b"/", b"?"),
    *(
        b"\r\n\r\n",
        b"\r\n ",
        b"GET ",
        b"HTTP/1.0",
        b" HTTP/1.1\r\n",
        b"X: 1\r\n",
        b"Host: y\r\n",
    ),
    get(),
    heartbeat(),
)
"""What chance puts into bytes."""


def _in_any_case(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from((name, name, name.lower(), name.upper()))


headers = st.lists(
    st.builds(
        "{}:{}{}".format,
        st.sampled_from(NAMES).flatmap(_in_any_case),
        st.sampled_from((" ", " ", " ", "", "  ", "\t")),
        st.sampled_from(VALUES),
    ),
    max_size=3,
)
methods = st.sampled_from(("GET", "GET", "GET", "HEAD", "POST", "DELETE", "get", "QUX"))
hot = st.sampled_from((*map(get, WARM), heartbeat(), heartbeat("web-2"), register()))
"""What the fast path is for."""
fixed = st.sampled_from(
    (
        get("/services/gone"),
        heartbeat("nobody"),
        register(0),
        request("POST", "/register", body=b"{"),
        request("POST", "/register", body=get()),
        request("POST", "/heartbeat/web-1", body=b'{"status":"unhealthy"}'),
        request("POST", "/heartbeat/web-1"),
        request("POST", "/nowhere", body=heartbeat()),
        request("GET", "/services/web", body=get()),
        request("DELETE", "/deregister/web-2"),
        request("GET", "/services/web", "Expect: 100-continue"),
        request("POST", "/register", "Expect: 100-continue", body=b"{}"),
        get("/services/web", "Connection: close"),
        get().replace(b"/1.1", b"/1.0"),
        get().replace(b"\r\n", b"\n"),
        chunked("POST", "/register", b'{"name":"web","host":"h","port":1}'),
        chunked("GET", "/services/web", get()),
        b"\r\n" + get(),
        b"\x16\x03\x01\x02\r\n\r\n",
    )
)
"""What it must know well enough to leave alone."""
made_up = st.builds(
    lambda method, target, lines: request(method, target, *lines),
    methods,
    st.sampled_from(TARGETS),
    headers,
)
streams = st.lists(hot | hot | fixed | made_up, min_size=1, max_size=6).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a stream with a few bytes too many, too few, or others."""
    data = draw(st.lists(hot | fixed, min_size=1, max_size=3).map(b"".join))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.sampled_from((0, 0, 1, 2)))
        data = data[:start] + draw(st.sampled_from((b"", *FRAGMENTS))) + data[end:]
    return data


manners = st.builds(
    Manner,
    turns=st.sampled_from((QUIET, 0, 1, 2, 3, 5, 8)),
    holds_writes=st.booleans(),
    is_read_slowly=st.booleans(),
)
places = st.lists(st.integers(1, 1_000), max_size=6)
whole = st.lists(
    st.lists(hot | hot | hot | fixed, min_size=1, max_size=4).map(b"".join),
    min_size=1,
    max_size=5,
)
"""Chunks of whole requests: what well-behaved clients send."""
