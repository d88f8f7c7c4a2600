"""Bad input over HTTP: always a problem document, never a stack trace, never a 500."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.api_harness import LOOPBACK, Answer, Harness, running


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b"\xff\xfe{}", "invalid_json"),
        (b'{"name": "\xff"}', "invalid_json"),
        (b'{"port": NaN}', "invalid_json"),
        (b"[" * 30_000, "invalid_json"),
        (b'{"name": "web", "host": "h", "port": "8500"}', "invalid_field"),
        (b'{"name": "a/b", "host": "h", "port": 8500}', "invalid_field"),
    ],
)
async def test_a_bad_body_is_400(raw: bytes, code: str) -> None:
    """The client sees which of its mistakes it was."""
    async with running() as harness:
        answer = await harness.request("POST", "/register", raw=raw)

    assert answer.status == 400
    assert answer.code == code


async def test_the_field_at_fault_is_named() -> None:
    """Programs read `field`, people read `detail`."""
    async with running() as harness:
        answer = await harness.register({"name": "web", "host": "h", "port": 70_000})

    assert answer.json["field"] == "port"
    assert answer.json["detail"] == "port must be from 1 to 65535"


async def test_json_is_accepted_whatever_the_content_type_says() -> None:
    """curl -d sends a form's type."""
    async with running() as harness:
        answer = await harness.request(
            "POST",
            "/register",
            raw=b'{"name": "web", "host": "h", "port": 1}',
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    assert answer.status == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_64_kib_is_413(chunked: bool) -> None:
    """Counted as it arrives, whatever the length header says or does not say."""
    async with running() as harness:
        body = b" " * (64 * 1024 + 1)
        raw = _pieces(body) if chunked else body
        answer = await harness.request("POST", "/register", raw=raw)

    assert answer.status == 413
    assert answer.code == "body_too_large"
    assert "65536" in str(answer.json["detail"])


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("OPTIONS", "/services/web", "GET, HEAD"),
        ("GET", "/register", "POST"),
        ("POST", "/deregister/x", "DELETE"),
        ("HEAD", "/heartbeat/x", "POST"),
    ],
)
async def test_a_wrong_method_is_405_with_allow(
    method: str, path: str, allow: str
) -> None:
    """`Allow` says what would work."""
    async with running() as harness:
        answer = await harness.request(method, path)

    assert answer.status == 405
    assert answer.headers["Allow"] == allow
    if method != "HEAD":
        assert answer.code == "method_not_allowed"


@pytest.mark.parametrize("path", ["/", "/nope", "//register", "/services/", "/a%00b"])
async def test_an_unknown_path_is_404(path: str) -> None:
    """A base URL that ends with a slash gives //: the detail says so."""
    async with running() as harness:
        answer = await _raw(harness, f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode())

    assert answer.status == 404
    assert answer.code == "not_found"
    assert ("//" in str(answer.json["detail"])) == ("//" in path)


@pytest.mark.parametrize("name", ["%2Fetc", "%FF", "a%20b", "x" * 300, "%C3%A9"])
async def test_a_name_that_cannot_exist_is_400(name: str) -> None:
    """An empty list would hide the typo."""
    async with running() as harness:
        answer = await _raw(
            harness, f"GET /services/{name} HTTP/1.1\r\nHost: x\r\n".encode()
        )

    assert answer.status == 400
    assert (answer.code, answer.json["field"]) == ("invalid_field", "service_name")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "min_index=-1", "consistent=maybe"],
)
async def test_an_option_without_sense_is_400(query: str) -> None:
    """Ignoring it would answer another question than the one asked."""
    async with running() as harness:
        answer = await harness.get(f"/services?{query}")

    assert answer.status == 400
    assert answer.json["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n",
        b"GET / HTTP/9.9\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n",
        b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\nHost: x\r\n",
        b"POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n",
        b"POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n",
    ],
)
async def test_bytes_that_are_no_http_get_a_problem_document(head: bytes) -> None:
    """Even what never reaches a handler is answered in the one shape."""
    async with running() as harness:
        answer = await _raw(harness, head)

    assert answer.status == 400
    assert answer.code == "malformed_request"
    assert b"Traceback" not in answer.body


async def test_a_body_with_broken_chunks_is_400() -> None:
    """Found while the handler reads."""
    async with running() as harness:
        answer = await _raw(
            harness,
            b"POST /register HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n",
            b"zz\r\n",
        )

    assert answer.status == 400
    assert answer.code == "malformed_request"


async def test_a_defect_of_ours_is_500_with_an_id_and_nothing_else() -> None:
    """The id finds the traceback in the log; the client learns nothing else."""
    async with running() as harness:
        harness.consensus.breaks = RuntimeError("secret")
        answer = await harness.register()

    assert answer.status == 500
    assert answer.code == "internal_error"
    assert len(str(answer.json["error_id"])) == 12
    assert b"secret" not in answer.body


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """Make the client send chunks, without a length."""
    yield body


async def _raw(harness: Harness, head: bytes, body: bytes = b"") -> Answer:
    """Send bytes as they are; read the answer until the server hangs up."""
    reader, writer = await asyncio.open_connection(LOOPBACK, harness.port)
    writer.write(head + b"Connection: close\r\n\r\n" + body)
    async with asyncio.timeout(5.0):
        received = await reader.read()
    writer.close()
    await writer.wait_closed()
    top, _, rest = received.partition(b"\r\n\r\n")
    status, *lines = top.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(status.split()[1]), headers, rest)
