"""The Lua that makes wrk send what a stream says."""

import msgspec

from bench.load.spec import Load
from bench.load.stream import NUMBER, Stream, request
from bench.load.wrk import lua

LOAD = Load(urls=("http://127.0.0.1:1",), stream=Stream(()), connections=1, seconds=1.0)


def lua_of(*requests: bytes, first: int = 0) -> str:
    """Return the file for these requests."""
    stream = Stream(requests, first=first)
    return lua(msgspec.structs.replace(LOAD, stream=stream)).decode()


def test_a_constant_request_is_told_in_wrk_s_own_words() -> None:
    """It calls Lua for each request otherwise, which costs it a tenth of its rate."""
    text = lua_of(request("POST", "/a?b=c", b'{"d":"e"}'))

    assert 'wrk.method = "POST"' in text
    assert 'wrk.path = "/a?b=c"' in text
    assert 'wrk.headers["Host"] = "bench"' in text
    assert 'wrk.body = "{\\"d\\":\\"e\\"}"' in text
    assert "Content-Length" not in text
    assert "request = function" not in text


def test_several_requests_are_sent_in_turn() -> None:
    """As they are, from a table."""
    text = lua_of(b"GET /a\r\n\r\n", b"GET /b\r\n\r\n")

    assert 'local parts = {{"GET /a\\r\\n\\r\\n"},{"GET /b\\r\\n\\r\\n"}}' in text
    assert "return parts[i][1]" in text


def test_a_number_is_put_between_the_parts() -> None:
    """The first is the stream's own."""
    text = lua_of(b"GET /" + NUMBER + b"\r\n\r\n", first=41)

    assert 'local parts = {{"GET /","\\r\\n\\r\\n"}}' in text
    assert "local i, number = 0, 40" in text
    assert "number = number + 1" in text
    assert "string.format('%016.0f', number)" in text
