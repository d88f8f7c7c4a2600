"""Connections that are too many, or whose clients do not read what they asked for."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from registry.api.server import ApiServer
from tests.support.api_harness import LOOPBACK, Harness, running

LARGE = "/services/large"
INSTANCES = 650
TAGS = [f"{n:02d}".ljust(100, "x") for n in range(30)]
GET_HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_connections_beyond_the_limit_are_closed_at_once_and_counted() -> None:
    """A flood of clients must not take the descriptors that the log needs."""
    async with running(max_connections=2) as harness:
        held = [await asyncio.open_connection(LOOPBACK, harness.port) for _ in "12"]
        for reader, writer in held:
            writer.write(GET_HEALTH)
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"

        assert await answer_or_end(harness) == b""
        assert refused(harness) == 1

        held[0][1].close()
        await held[0][1].wait_closed()
        await until_answered(harness)
        held[1][1].close()
        await held[1][1].wait_closed()


async def test_a_client_that_does_not_read_loses_its_place() -> None:
    """It would hold megabytes and a descriptor for as long as it likes."""
    async with running(max_connections=2, stuck_s=0.1) as harness:
        await register_large(harness)
        async with unread_answer(harness):
            await until_answered(harness)

    assert refused(harness) > 0


async def test_a_client_that_reads_slowly_gets_its_whole_answer() -> None:
    """Slow is not stuck: what leaves the kernel's buffer first counts, too."""
    async with running(stuck_s=0.15) as harness:
        await register_large(harness)
        whole = len((await harness.get(LARGE)).body)
        async with unread_answer(harness, buffer_bytes=128 * 1024) as connection:
            received = 0
            loop = asyncio.get_running_loop()
            while received < whole:
                part = await loop.sock_recv(connection, 64 * 1024)
                assert part, "cut off"
                received += len(part)
                await asyncio.sleep(0.01)  # This is how slow it is.


@pytest.mark.slow
async def test_a_client_that_does_not_read_does_not_hold_up_the_stop() -> None:
    """Its answer is lost, not the time of everybody else."""
    async with running(stop_within_s=3.0) as harness:
        await register_large(harness)
        async with unread_answer(harness):
            assert await stop_duration_s(harness) < 2.8


@pytest.mark.slow
async def test_a_stop_takes_its_time_once() -> None:
    """aiohttp would wait twice: for the handler, and for the end of its task."""
    async with running(stop_within_s=1.0) as harness:
        harness.consensus.hold()
        reader, writer = await asyncio.open_connection(LOOPBACK, harness.port)
        writer.write(b"POST /heartbeat/x HTTP/1.1\r\nHost: x\r\n\r\n")
        while not harness.consensus.proposed:
            await asyncio.sleep(0.001)

        assert await stop_duration_s(harness) < 1.5
        assert await reader.read() == b""
        harness.consensus.release()
        writer.close()


async def test_an_answer_under_way_outlives_the_beginning_of_the_stop() -> None:
    """A rolling restart loses no answer of a client that reads."""
    async with running() as harness:
        await register_large(harness)
        whole = len((await harness.get(LARGE)).body)
        async with unread_answer(harness) as connection:
            stop = asyncio.create_task(harness.server.stop())
            received = 0
            while received < whole:
                part = await asyncio.get_running_loop().sock_recv(connection, 1 << 20)
                assert part, "cut off"
                received += len(part)
        await stop


@pytest.mark.parametrize("path", ["/health", "/nowhere"])
async def test_an_expectation_that_is_not_known_is_a_problem_too(path: str) -> None:
    """aiohttp refuses it before any middleware, as text and uncounted."""
    async with running() as harness:
        answer = await harness.get(path, headers={"Expect": "foo"})

        assert answer.status == 417
        assert answer.code == "bad_request"
        assert answer.headers["X-Registry-Node"] == "a"
        route = b"/health" if path == "/health" else b"unmatched"
        counted = b'{method="GET",route="%b",status="4xx"} 1.0' % route
        assert counted in harness.cases.metrics.exposition()


async def test_an_address_that_cannot_be_bound_is_told_in_words() -> None:
    """The resolver's numbers are not those of the system."""
    async with running() as harness:
        deps = harness.deps
        taken = ApiServer(deps, host=LOOPBACK, port=harness.port)
        unknown = ApiServer(deps, host="no such host", port=0)

        with pytest.raises(OSError, match=r"^Address already in use$"):
            await taken.start()
        with pytest.raises(OSError, match=r"(?i)name|host"):
            await unknown.start()


async def register_large(harness: Harness) -> None:
    """Register a service whose list is larger than what sockets buffer."""
    for n in range(INSTANCES):
        body = {"name": "large", "host": f"h{n}", "port": 1, "tags": TAGS}
        body["metadata"] = {f"{k}": f"{n}-{k}".ljust(900, "y") for k in range(8)}
        assert (await harness.register(body)).status == 200


@asynccontextmanager
async def unread_answer(
    harness: Harness, *, buffer_bytes: int = 4096
) -> AsyncIterator[socket.socket]:
    """Ask for the large list, on a connection of which nothing is read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(connection, (LOOPBACK, harness.port))
        before = answered(harness)
        request = f"GET {LARGE} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        await loop.sock_sendall(connection, request)
        while answered(harness) == before:
            await asyncio.sleep(0.001)
        yield connection
    finally:
        connection.close()


def answered(harness: Harness) -> bytes:
    """Return the count of lists asked for, as told by the metrics."""
    lines = harness.cases.metrics.exposition().splitlines()
    return b"".join(line for line in lines if b'route="/services/{' in line)


def refused(harness: Harness) -> float:
    """Return the count of connections refused."""
    lines = harness.cases.metrics.exposition().splitlines()
    (line,) = (x for x in lines if x.startswith(b"registry_connections_refused_total "))
    return float(line.split()[1])


async def answer_or_end(harness: Harness) -> bytes:
    """Ask on a connection of its own; empty if it is closed without an answer."""
    reader, writer = await asyncio.open_connection(LOOPBACK, harness.port)
    try:
        writer.write(GET_HEALTH)
        async with asyncio.timeout(5.0):
            return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def until_answered(harness: Harness) -> None:
    """Wait until there is a place for one more connection."""
    async with asyncio.timeout(10.0):
        while not await answer_or_end(harness):
            await asyncio.sleep(0.005)


async def stop_duration_s(harness: Harness) -> float:
    """Stop the server and return how long that took."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await harness.server.stop()
    return loop.time() - began_s
