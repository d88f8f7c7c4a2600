"""Connections that are slow, silent, cut off or in a hurry."""

import asyncio

import pytest

from tests.support.api_harness import LOOPBACK, Harness, running

PARTIAL = b"POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"


@pytest.mark.slow
async def test_a_body_that_does_not_come_is_408() -> None:
    """A slow client may hold a connection for a bounded time only."""
    async with running(body_within_s=0.05) as harness:
        received = await _exchange(harness, PARTIAL)

    assert received.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_timeout"' in received


async def test_a_connection_without_a_request_is_closed() -> None:
    """aiohttp alone would keep it for ever, half a request line included."""
    async with running(keep_alive_s=0.05) as harness:
        assert await _exchange(harness, b"") == b""
        assert await _exchange(harness, b"GET /hea") == b""


async def test_a_client_that_hangs_up_in_its_body_is_no_failure_of_ours() -> None:
    """It must not count or log as a 500."""
    async with running() as harness:
        _, writer = await asyncio.open_connection(LOOPBACK, harness.port)
        writer.write(PARTIAL)
        await writer.drain()
        await harness.get("/health")  # The server has seen the head by now.
        writer.close()
        await writer.wait_closed()
        while b'route="/register"' not in harness.cases.metrics.exposition():
            await asyncio.sleep(0.001)

        assert b'status="5xx"' not in harness.cases.metrics.exposition()


async def test_pipelined_requests_are_answered_in_order() -> None:
    """Each answer belongs to its request."""
    async with running() as harness:
        received = await _exchange(
            harness,
            b"GET /services/one HTTP/1.1\r\nHost: x\r\n\r\n"
            b"GET /services/two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )

    assert 0 < received.index(b'"one"') < received.index(b'"two"')


async def test_a_handler_that_outlives_the_stop_is_cut_off() -> None:
    """A stop ends within its own time, whatever hangs."""
    async with running(stop_within_s=0.05) as harness:
        harness.consensus.hold()
        request = asyncio.create_task(
            _exchange(harness, b"POST /heartbeat/x HTTP/1.1\r\nHost: x\r\n\r\n")
        )
        while not harness.consensus.proposed:
            await asyncio.sleep(0.001)

        async with asyncio.timeout(5.0):
            await harness.server.stop()

        assert await request == b""
        harness.consensus.release()


async def _exchange(harness: Harness, sent: bytes) -> bytes:
    """Send bytes, and return what comes until the server hangs up."""
    reader, writer = await asyncio.open_connection(LOOPBACK, harness.port)
    writer.write(sent)
    async with asyncio.timeout(5.0):
        received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received
