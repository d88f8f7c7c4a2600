"""What changes between two reads shows in the second one, whoever answers it."""

import asyncio

import pytest

from registry.api.hot_reads import LOOK_AGAIN_S
from registry.catalog.commands import Deregister
from registry.model import MetadataValue, ServiceId, Status
from tests.support.differential import Both, Side, both
from tests.support.http_bytes import WARM, get, heartbeat, register, request

SECOND_MS = 1_000
READS = [get(target) for target in WARM]


async def _later(sides: Both) -> None:
    """Wait until the fast path looks anew at what this replica may answer."""
    loop = asyncio.get_running_loop()
    due = asyncio.Event()
    loop.call_at(loop.time() + LOOK_AGAIN_S, due.set)
    await due.wait()


async def test_a_write_shows_in_the_read_behind_it() -> None:
    """Of the same chunk, and of the next."""
    leave = request("DELETE", "/deregister/web-1")
    async with both() as sides:
        told = await sides.agree([get() + register() + get(), get()], hot=4)
        assert told.answers.count(b'"id-1"') == 3  # the write's, and two reads'
        await sides.agree([leave + get(), get()])
        await sides.agree([heartbeat("web-2") + get(), get()])
        told = await sides.agree(READS)

    assert b'"web-1"' not in told.answers


async def test_a_change_by_others_shows_at_once() -> None:
    """Without any time in between: the index of the service says it."""

    async def tag(side: Side) -> None:
        await side.cases.register(port=9, service_id="web-9", tags=("blue",))

    async def fall(side: Side) -> None:
        await side.cases.report(ServiceId("web-2"), Status.UNHEALTHY)

    async def leave(side: Side) -> None:
        for number in (1, 2, 3, 9):
            command = Deregister(service_id=ServiceId(f"web-{number}"), at_ms=1)
            await side.cases.propose(command)

    async with both() as sides:
        for change in (tag, fall):
            await sides.each(change)
            await sides.agree(READS, hot=len(READS))
        await sides.each(leave)
        told = await sides.agree([get(), get()], hot=0)
        assert told.answers.count(b'"instances":[]') == 2
        await sides.each(tag)
        await sides.agree([get()], hot=0)
        await sides.agree([get()], hot=1)


async def test_the_next_second_shows() -> None:
    """The order of instances rotates by it, and heartbeats move no index."""

    async def advance(side: Side) -> None:
        side.clock.passed_ms += SECOND_MS

    async with both() as sides:
        firsts = set()
        for _ in range(4):
            await sides.each(advance)
            await _later(sides)
            told = await sides.agree([heartbeat("web-1"), get()], hot=2)
            firsts.add(told.answers.partition(b'"instances":[')[2][:24])

    assert len(firsts) == 3


COLD = "Authorization: none"
"""Makes a request aiohttp's."""


@pytest.mark.parametrize(
    "reads",
    [
        [get(), get()],
        [get(), get("/services/web", COLD)],
        [get("/services/web", COLD), get()],
        [get(), get("/services/web", COLD), get(), get("/services/%77eb")],
        [get("/services/%77eb"), get()],
        [get("/services/web?status=all"), get("/services/web?status=all", COLD)],
    ],
)
async def test_within_a_second_all_see_the_same_heartbeats(reads: list[bytes]) -> None:
    """Or the time of the last one would go back from one read to the next."""

    async def advance(side: Side) -> None:
        side.clock.passed_ms += SECOND_MS

    async with both() as sides:
        await sides.each(advance)
        await _later(sides)
        for read in reads:
            await sides.agree([read, heartbeat("web-1")])


async def test_a_list_of_few_but_long_instances_is_whole() -> None:
    """It is too long to be joined into one answer, however few they are."""
    big = get("/services/big")
    long: dict[str, MetadataValue] = {"a": "x" * 1_000, "b": "y" * 600}

    async def fill(side: Side) -> None:
        for port in range(1, 201):
            await side.cases.register(
                "big", port, service_id=f"big-{port}", metadata=long
            )

    async def advance(side: Side) -> None:
        side.clock.passed_ms += SECOND_MS

    async with both() as sides:
        await sides.each(fill)
        await sides.agree([big])
        await sides.each(advance)
        await _later(sides)
        told = await sides.agree([big, get()])
        assert told.answers.count(b'"port":') > 200


async def test_heartbeats_show_in_filtered_reads_a_second_later() -> None:
    """aiohttp renders them anew each time, so at once; an answer kept may be older."""
    filtered = get("/services/web?tag=blue")

    async def advance(side: Side) -> None:
        side.clock.passed_ms += SECOND_MS

    async with both() as sides:
        for _ in range(3):
            await sides.each(advance)
            await _later(sides)
            await sides.agree([filtered, heartbeat("web-1")], hot=2)


@pytest.mark.parametrize("sent", [[get()], [get() * 3], [get() + heartbeat() + get()]])
async def test_a_replica_that_is_behind_refuses_alike(sent: list[bytes]) -> None:
    """I10: it does not know what it lists; nor is anything hot until it does."""

    async def fall_behind(side: Side) -> None:
        side.cases.consensus.not_caught_up()
        side.cases.consensus.refuses = None

    async def catch_up(side: Side) -> None:
        await side.cases.consensus.elect()

    async with both() as sides:
        await sides.each(fall_behind)
        await _later(sides)
        told = await sides.agree([get()], hot=0)
        assert told.answers.startswith(b"HTTP/1.1 503 ")
        await sides.agree([get("/services/web?stale=1"), get("/services/gone")], hot=0)
        await sides.each(catch_up)
        await _later(sides)
        told = await sides.agree(sent)
        assert told.answers.startswith(b"HTTP/1.1 200 ")
        await sides.agree([get()], hot=1)


@pytest.mark.parametrize("age_s", [0.5, 5.0, 100.0])
async def test_a_replica_whose_leader_is_silent_tells_the_age(age_s: float) -> None:
    """I10: where that is worth telling, it is aiohttp's answer."""

    async def fall_silent(side: Side) -> None:
        side.cases.consensus.silent_leader(age_s)

    async with both() as sides:
        await sides.each(fall_silent)
        await _later(sides)
        told = await sides.agree([get(), get() * 2])

    assert told.answers.count(b"HTTP/1.1 200 ") == 3


async def test_a_cluster_that_was_founded_anew_has_other_tags() -> None:
    """Its indices begin again, so a tag of the former one may not match."""
    tag = 'If-None-Match: W/"cafe-3"'

    async def found(side: Side) -> None:
        side.cases.consensus.refound("beef")

    async with both() as sides:
        assert b" 304 " in (await sides.agree([get("/services/web", tag)])).answers
        await sides.each(found)
        await _later(sides)
        told = await sides.agree([get("/services/web", tag), get()], hot=2)

    assert told.answers.count(b'\r\nETag: W/"beef-3"\r\n') == 2


@pytest.mark.parametrize("count", [250, 251])
async def test_a_service_that_has_grown_large_is_answered_alike(count: int) -> None:
    """Beyond one slice it is rendered in turns, which aiohttp waits for."""

    async def grow(side: Side) -> None:
        for port in range(4, count + 1):
            await side.cases.register(port=port, service_id=f"web-{port}")

    async with both() as sides:
        await sides.each(grow)
        await sides.agree([get(), get() + get(), heartbeat() + get()])


async def test_a_drain_shows() -> None:
    """Also in the list of every status, which tells the reason."""
    why = b'{"reason":"a test"}'
    async with both() as sides:
        await sides.agree([request("POST", "/hosts/10.0.0.1/drain", body=why)])
        told = await sides.agree([b"".join(READS), *READS])
        assert b"a test" in told.answers
        await sides.agree([request("POST", "/hosts/10.0.0.1/undrain")])
        told = await sides.agree([b"".join(READS), *READS])

    assert b"a test" not in told.answers
