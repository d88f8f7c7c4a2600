"""Clients that ask for more than they read: what waits for them is bounded."""

import pytest

from tests.support.alike import masked
from tests.support.differential import Side, both
from tests.support.http_bytes import get, heartbeat
from tests.support.recording_wire import Wire

BOUND_BYTES = 1024 * 1024
LARGE = 250
"""Instances; an answer of some 50 KiB, which is hot just so."""
GONE = get("/services/gone")
ASKED = {
    "reads": get(),
    "reads and writes": get() * 2 + heartbeat(),
    "writes": heartbeat(),
    "reads, hot and not": get() * 3 + GONE,
    "nothing hot": GONE,
}


async def _grow(side: Side) -> None:
    for port in range(4, LARGE + 1):
        await side.cases.register(port=port, service_id=f"web-{port}")


async def _flood(side: Side, chunks: list[bytes]) -> tuple[Wire, int]:
    """Send all to a client that reads only when nothing else helps.

    Return the most bytes that waited for it at any time.
    """
    wire, most_bytes = side.connect(), 0
    wire.stall()
    for chunk in chunks:
        while wire.is_reading_paused:
            await side.settled(wire)
            most_bytes = max(most_bytes, wire.unsent_bytes)
            if wire.is_reading_paused:
                wire.drain()
        wire.feed(chunk)
        await side.settled(wire)
        most_bytes = max(most_bytes, wire.unsent_bytes)
    while wire.unsent_bytes:
        wire.drain()
        await side.settled(wire)
        most_bytes = max(most_bytes, wire.unsent_bytes)
    return wire, most_bytes


@pytest.mark.slow
@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("large", [False, True])
async def test_a_client_that_does_not_read_is_answered_little(
    name: str, large: bool
) -> None:
    """In chunks as large as are looked at; and once it reads, all is right."""
    asked = ASKED[name]
    chunk = asked * (8_000 // len(asked))
    async with both() as sides:
        if large:
            await sides.each(_grow)
        plain, plain_most_bytes = await _flood(sides.plain, [chunk] * 4)
        fast, fast_most_bytes = await _flood(sides.fast, [chunk] * 4)

        assert masked(bytes(fast.sent)) == masked(bytes(plain.sent))
        assert fast.sent.count(b"HTTP/1.1 200 ") == 4 * chunk.count(b"HTTP/1.1")
        assert plain_most_bytes <= BOUND_BYTES
        assert fast_most_bytes <= BOUND_BYTES
        assert sides.fast.effects() == sides.plain.effects()


async def _feed(side: Side, wire: Wire, chunk: bytes) -> int:
    """Send as long as it is read; return how much was."""
    read_bytes = 0
    while not wire.is_reading_paused and read_bytes < BOUND_BYTES:
        wire.feed(chunk)
        read_bytes += len(chunk)
        await side.settled(wire)
    return read_bytes


async def test_what_waited_behind_a_write_is_not_read_for_ever() -> None:
    """aiohttp stops to read when its queue is full; to go on is its decision alone."""
    chunk = GONE * 150
    async with both() as sides:
        for side in (sides.plain, sides.fast):
            wire = side.connect()
            wire.stall(high_water_bytes=0)
            side.cases.consensus.hold()
            wire.feed(heartbeat())
            await side.settled(wire)
            await _feed(side, wire, chunk)
            side.cases.consensus.release()
            await side.settled(wire)
            read_bytes = await _feed(side, wire, chunk)

            assert read_bytes < 64 * 1024


async def test_a_client_that_reads_again_is_answered_fast_again() -> None:
    """To have been slow once is no reason to be served slowly for ever."""
    async with both() as sides:
        side = sides.fast
        await _grow(side)
        wire, _ = await _flood(side, [get() * 100] * 3)
        before = side.hot_answers
        wire.feed(get())
        await side.settled(wire)

        assert side.hot_answers == before + 1


async def test_a_slow_client_that_hangs_up_is_forgotten() -> None:
    """Whatever it was still to be sent; the next one is served as ever."""
    async with both() as sides:
        await sides.each(_grow)
        for side in (sides.plain, sides.fast):
            wire = side.connect()
            wire.stall()
            for _ in range(3):
                if not wire.is_reading_paused:
                    wire.feed(get() * 100 + heartbeat() + GONE)
                    await side.settled(wire)
            wire.abort()
            await side.settled(wire)
        told = await sides.plain.exchange([get()])
        assert await sides.fast.exchange([get()]) == told

    assert told.answers.count(b'"service_id"') == LARGE
