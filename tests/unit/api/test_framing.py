"""Framing: which chunks are whole, plain requests, and which are aiohttp's business."""

import pytest

from registry.api.framing import MAX_HEADERS, Framing, PlainRequest

HOST = b"Host: r\r\n"
GET = b"GET /services/web HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /register HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\n{\n}\n"


def _get(headers: bytes, target: bytes = b"/services/web") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + headers + b"\r\n"


def test_a_whole_get_is_plain() -> None:
    """With whatever headers change nothing about the answer."""
    traced = _get(HOST + b"traceparent: 00-1\r\nX-Odd: 1\r\n")

    expected = [PlainRequest(b"GET", b"/services/web", None, b"")]
    assert Framing().scan(GET) == expected
    assert Framing().scan(traced) == expected


def test_a_whole_post_comes_with_its_body() -> None:
    """Whose line breaks are no lines of the head."""
    assert Framing().scan(POST) == [
        PlainRequest(b"POST", b"/register", None, b"{\n}\n")
    ]


def test_requests_of_one_chunk_come_in_order() -> None:
    """Pipelined by the client."""
    requests = Framing().scan(GET + POST + GET)

    assert requests is not None
    assert [r.method for r in requests] == [b"GET", b"POST", b"GET"]


def test_a_condition_is_told_in_any_case() -> None:
    """It decides between 200 and 304."""
    requests = Framing().scan(_get(HOST + b'iF-nOnE-mAtCh: W/"x-1"\r\n'))

    assert requests is not None
    assert requests[0].condition == b'W/"x-1"'


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(_get(b""), id="no host"),
        pytest.param(_get(HOST + HOST), id="a header twice"),
        pytest.param(_get(HOST + b"X: 1\r\n folded\r\n"), id="folded"),
        pytest.param(_get(HOST + b"Connection: close\r\n"), id="close"),
        pytest.param(_get(HOST + b"Expect: 100-continue\r\n"), id="expect"),
        pytest.param(_get(HOST + b"authorization: x\r\n"), id="authorization"),
        pytest.param(GET.replace(b"1.1", b"1.0"), id="HTTP/1.0"),
        pytest.param(GET.replace(b"\r\n", b"\n"), id="bare line feeds"),
        pytest.param(GET + b"GET /", id="the begin of another"),
        pytest.param(_get(HOST + b"X: " + b"x" * 8192 + b"\r\n"), id="a long line"),
        pytest.param(
            _get(HOST + b"".join(b"X-%d: 1\r\n" % n for n in range(MAX_HEADERS))),
            id="many headers",
        ),
        pytest.param(b"what is this\r\n\r\n", id="no HTTP"),
        pytest.param(
            _get(HOST + b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
            id="chunked",
        ),
    ],
)
def test_anything_else_is_not_plain(chunk: bytes) -> None:
    """It goes to aiohttp as it is."""
    assert Framing().scan(chunk) is None


@pytest.mark.parametrize("request_bytes", [GET, POST], ids=["get", "post"])
def test_one_in_pieces_is_not_plain_and_the_next_is(request_bytes: bytes) -> None:
    """Wherever it was split: the border behind it is known."""
    for at in range(1, len(request_bytes)):
        framing = Framing()
        assert framing.scan(request_bytes[:at]) is None
        assert framing.scan(request_bytes[at:]) is None
        assert framing.scan(GET) == [PlainRequest(b"GET", b"/services/web", None, b"")]


def test_a_body_that_looks_like_a_request_is_a_body() -> None:
    """It is no request, however the chunks fall."""
    framing = Framing()
    head = b"POST /register HTTP/1.1\r\n" + HOST
    head += b"Content-Length: %d\r\n\r\n" % (2 * len(GET))

    assert framing.scan(head + GET) is None
    assert framing.scan(GET) is None
    assert framing.scan(GET) is not None


def test_after_a_chunked_body_nothing_is_plain_any_more() -> None:
    """Two parsers may disagree on where it ended."""
    framing = Framing()
    chunked = b"POST / HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert framing.scan(chunked + b"1\r\nx\r\n0\r\n\r\n") is None
    assert framing.scan(GET) is None


def test_a_long_body_is_not_kept() -> None:
    """What is under way belongs to aiohttp, with its own bounds."""
    framing = Framing()
    framing.scan(b"POST /x HTTP/1.1\r\nHost: r\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(9):
        framing.scan(b"x" * 100_000)

    assert framing._parser.pieces == []


def test_a_chunk_that_repeats_the_last_one_is_the_same_requests() -> None:
    """But not in the middle of another request, nor on a connection that is lost."""
    framing = Framing()
    first = framing.scan(GET)
    assert framing.scan(GET) == first
    head = b"POST /x HTTP/1.1\r\nHost: r\r\nContent-Length: %d\r\n\r\n" % len(GET)
    assert framing.scan(head) is None
    assert framing.scan(GET) is None
    assert framing.scan(GET) == first
    assert framing.scan(b"what is this\r\n\r\n") is None

    assert framing.scan(GET) is None
