"""Several requests in one go: each answered, in order, once."""

import pytest

from tests.support.differential import Manner, both
from tests.support.http_bytes import bytewise, get, heartbeat, register

TWO = [get(), get("/services/api")]
GONE = get("/services/gone")
LAST = get("/services/web", "Connection: close")
OLD = get().replace(b"/1.1", b"/1.0")
NO_HTTP = b"\x16\x03\x01\r\n\r\n"
TOO_LONG = get("/services/web", "X: " + "y" * 9_000)
MANNERS = [
    Manner(),
    Manner(turns=0),
    Manner(turns=1),
    Manner(turns=3),
    Manner(holds_writes=True),
    Manner(turns=1, holds_writes=True),
    Manner(turns=1, is_read_slowly=True),
    Manner(holds_writes=True, is_read_slowly=True),
]

in_each_manner = pytest.mark.parametrize("manner", MANNERS)


@in_each_manner
@pytest.mark.parametrize(
    ("requests", "hot"),
    [
        (TWO, 2),
        (TWO * 20, 40),
        ([get(), heartbeat(), get("/services/api")], 3),
        ([heartbeat(), heartbeat("web-2")], 2),
        ([register(), register(81), get(), heartbeat("id-1"), get()], 5),
        ([get(), heartbeat("nobody"), get()], 3),
        ([get(), GONE, get()], 0),
        ([heartbeat(), GONE, heartbeat("web-2"), get()], 0),
        ([GONE, get(), get()], 0),
    ],
)
async def test_requests_in_one_chunk_are_answered_in_order(
    requests: list[bytes], hot: int, manner: Manner
) -> None:
    """Where one is not hot all are aiohttp's, as for who reads slowly; none is lost."""
    wanted = None if manner.is_read_slowly else hot
    async with both() as sides:
        told = await sides.agree([b"".join(requests)], manner, hot=wanted)

    assert told.answers.count(b"HTTP/1.1 ") == len(requests)


@in_each_manner
@pytest.mark.parametrize(
    "requests",
    [
        [get(), GONE, get(), heartbeat(), get(), GONE, register(), GONE, get()],
        [heartbeat(), *[get()] * 100],
        [heartbeat(), *[GONE] * 100, heartbeat()],
        [heartbeat(), *[get("/services/web", "X: " + "y" * 7_000)] * 30, heartbeat()],
        [GONE, get(), register(), get()],
    ],
)
async def test_requests_in_chunks_of_their_own_are_answered_in_order(
    requests: list[bytes], manner: Manner
) -> None:
    """Whatever is still under way when the next one comes."""
    async with both() as sides:
        told = await sides.agree(requests, manner)

    assert told.answers.count(b"HTTP/1.1 ") == len(requests)


@pytest.mark.parametrize(
    "behind",
    [
        [get(), NO_HTTP],
        [heartbeat("web-2"), NO_HTTP],
        [GONE, NO_HTTP],
        [get(), TOO_LONG],
        [LAST, get()],
        [LAST, NO_HTTP],
        [LAST + get()],
        [OLD, get()],
        [get() + LAST, heartbeat()],
        [get()[:10], get()[10:], get()],
        [get()[:10], get()[10:] + NO_HTTP],
        bytewise(get() + heartbeat("web-2") + get()),
    ],
)
async def test_chunks_that_waited_are_taken_one_by_one(behind: list[bytes]) -> None:
    """aiohttp drops the whole requests of a chunk that ends in what it cannot parse.

    So to join chunks that came apart would lose requests that it answers.
    """
    async with both() as sides:
        for first in (heartbeat(), register(), GONE):
            for manner in MANNERS:
                await sides.agree([first, *behind], manner)
