"""The contract, for GET; and every way in which a web server can misbehave."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from registry.ports import ProbeResult
from tests.integration.links.certificates import Authority
from tests.integration.probes import servers
from tests.integration.probes.contract import ProbeContract
from tests.integration.probes.names import NameServer
from tests.integration.probes.servers import OK, Reader, Writer


class TestHttp(ProbeContract):
    """Any 2xx."""

    kind = "http"

    @asynccontextmanager
    async def healthy(self) -> AsyncIterator[int]:
        """A server that keeps connections."""
        async with servers.answering(OK) as running:
            yield running.port


async def _probe_of(*answers: bytes, expected_status: int = 0) -> ProbeResult:
    async with servers.answering(*answers) as running, servers.prober() as prober:
        return await prober.probe(
            servers.target(running.port, expected_status=expected_status)
        )


def _status(line: str, *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {line}", "Content-Length: 0", *headers])
    return f"{head}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("answer", "expected_status", "passed", "cause"),
    [
        (_status("204 No Content"), 0, True, "204"),
        (_status("503 Busy"), 0, False, "503"),
        (_status("401 No"), 401, True, "401"),
        (OK, 401, False, "200"),
        (_status("302 Found", "Location: /x"), 302, True, "302"),
        (_status("302 Found", "Location: http://127.0.0.1:1/"), 0, False,
         "redirect to another host"),
        (_status("302 Found", "Location: http://169.254.169.254/"), 0, False,
         "redirect to another host"),
        (_status("302 Found", "Location: //evil.example/"), 0, False,
         "redirect to another host"),
        (_status("302 Found", "Location: file:///etc/passwd"), 0, False,
         "302 with a bad Location"),
        (_status("302 Found"), 0, False, "302 with a bad Location"),
        (_status("302 Found", "Location: /again"), 0, False, "more than 3 redirects"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", 0, False, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 70_000, 0,
         False, "body over 64 KiB"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 0, False, "not HTTP"),
    ],
)  # fmt: skip
async def test_each_answer_has_its_own_words(
    answer: bytes, expected_status: int, passed: bool, cause: str
) -> None:
    """They become the instance's cause."""
    result = await _probe_of(answer, expected_status=expected_status)

    assert (result.passed, result.cause) == (passed, cause)
    assert not result.is_unreachable


async def test_a_redirect_on_the_same_host_is_followed() -> None:
    """As frameworks do that want a slash at the end."""
    result = await _probe_of(_status("307 Temporary", "Location: /health/"), OK)

    assert result.passed


async def test_what_never_ends_is_ended_at_the_time_out() -> None:
    """It hangs, trickles a head, or a body."""

    async def hang(reader: Reader, writer: Writer) -> None:
        await reader.read()

    async def trickle_head(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"A: b\r\n")
            await asyncio.sleep(0.05)

    async def trickle_body(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b".")
            await asyncio.sleep(0.05)

    for handler in (hang, trickle_head, trickle_body):
        async with servers.serving(handler) as running, servers.prober() as prober:
            begun_s = time.monotonic()
            result = await prober.probe(servers.target(running.port, timeout_s=0.4))

            assert time.monotonic() - begun_s < 1.0
            assert result.cause == "timed out after 0.4 s"


async def test_a_flood_is_cut_off() -> None:
    """A stream for ever at full speed costs no more than the bound."""

    async def flood(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with servers.serving(flood) as running, servers.prober() as prober:
        result = await prober.probe(servers.target(running.port))

    assert result.cause == "body over 64 KiB"


@pytest.mark.parametrize(
    ("head", "for_ever"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
    ],
)
async def test_no_flood_of_any_kind_holds_the_loop(
    head: bytes, for_ever: bytes
) -> None:
    """What aiohttp reads on through must end as well, and long before the time-out."""

    async def flood(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        while True:
            writer.write(for_ever * (65_536 // len(for_ever)))
            await writer.drain()

    async with servers.serving(flood) as running, servers.prober() as prober:
        result = await prober.probe(servers.target(running.port))

    assert result.cause in ("not HTTP", "answer broke off", "body over 64 KiB")


async def test_interim_answers_are_read_through() -> None:
    """A few of them are within the protocol, on each use of a connection."""
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3
    async with servers.answering(hints + OK) as running, servers.prober() as prober:
        for _ in range(5):
            assert (await prober.probe(servers.target(running.port))).passed

        assert running.connections == 1


async def test_a_reset_and_a_silent_close_fail() -> None:
    """On a fresh connection they are the service's own doing."""

    async def break_off(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        servers.reset(writer)

    async def close(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async def half(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

    causes = []
    for handler in (break_off, close, half):
        async with servers.serving(handler) as running, servers.prober() as prober:
            causes.append((await prober.probe(servers.target(running.port))).cause)

    assert causes == [
        "connection reset",
        "closed without an answer",
        "answer broke off",
    ]


async def test_certificates_are_looked_at(tmp_path: Path) -> None:
    """Signed by a known authority for this name it passes, and else says why."""
    authority = Authority(tmp_path)
    tls = authority.issue("server", dns=("localhost",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.cert_file, tls.key_file)

    async def answer(reader: Reader, writer: Writer) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)

    async with servers.serving(answer, ssl=context) as running:
        url = f"https://localhost:{running.port}/health"
        known = servers.target(running.port, host="localhost", path=url)
        other = servers.target(running.port, path=url)
        async with servers.prober(ca_file=authority.ca_file) as prober:
            passed = await prober.probe(known)
            wrong_name = await prober.probe(other)
        async with servers.prober() as prober:
            unknown = await prober.probe(known)

    assert passed.passed, passed
    assert wrong_name.cause.startswith("bad certificate: IP address mismatch")
    assert unknown.cause.startswith("bad certificate: ")


async def test_https_where_http_is_spoken_is_no_crash() -> None:
    """Web servers answer 400 to what they take for a request."""

    async def refuse(reader: Reader, writer: Writer) -> None:
        await reader.read(16)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with servers.serving(refuse) as running, servers.prober() as prober:
        url = f"https://127.0.0.1:{running.port}/"
        result = await prober.probe(servers.target(running.port, path=url))

    assert result.cause == "TLS handshake failed"


@pytest.mark.parametrize("end", ["", "."])
async def test_a_name_of_digits_is_a_name(end: str) -> None:
    """Containers are called by the hash of their id."""
    name = "123456789012"
    async with (
        servers.answering(OK) as running,
        NameServer({name: "127.0.0.1"}) as names,
        servers.prober(nameservers=names.at) as prober,
    ):
        result = await prober.probe(servers.target(running.port, host=name + end))

        assert result.passed, result
        assert f"Host: {name}:{running.port}\r\n".encode() in running.requests[0]
