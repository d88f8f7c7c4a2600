"""The same on real sockets: what the kernel, and slow clients, make of it."""

import asyncio

import pytest

from tests.support.alike import effects, masked
from tests.support.differential_sockets import LAST, TURNS, Client, Replica, replicas
from tests.support.http_bytes import cut, get, heartbeat, register, request

GONE = get("/services/gone")
EVERY = get("/services/web?status=all")
MANY = [get(), EVERY, get() + heartbeat() + get(), register(), GONE, get() * 5]
ROUNDS = 40


@pytest.mark.slow
@pytest.mark.parametrize("piece_bytes", [7, 100, 1_000, 10_000, 200_000])
async def test_a_long_stream_in_pieces_of_any_size_is_answered_alike(
    piece_bytes: int,
) -> None:
    """While its client reads as fast as it sends."""
    data = b"".join(MANY) * (ROUNDS if piece_bytes >= 100 else 2)
    pieces = cut(data, range(piece_bytes, len(data), piece_bytes))
    async with replicas() as (plain, fast):
        told = await plain.exchange(pieces)

        assert await fast.exchange(pieces) == told
        assert effects(fast.cases) == effects(plain.cases)


async def test_hot_requests_on_a_socket_are_hot() -> None:
    """One by one, pipelined, and behind an ordinary one."""
    async with replicas() as (plain, fast):
        pieces = [get(), get() * 3, heartbeat() + get(), register()]
        before = fast.server.hot_answers
        told = await plain.exchange(pieces)

        assert await fast.exchange(pieces) == told
        assert fast.server.hot_answers == before + 7
        assert plain.server.hot_answers == 0


async def _one_after_the_other(replica: Replica, count: int) -> int:
    before = replica.server.hot_answers
    async with Client.of(replica) as client:
        for number in range(count):
            await client.send(GONE if number == 0 else get())
            await client.answers(1)
    return replica.server.hot_answers - before


async def test_a_client_that_sends_at_once_after_an_answer_is_served_fast() -> None:
    """Its request comes in the very turn in which aiohttp ends the one before."""
    async with replicas() as (_, fast):
        assert await _one_after_the_other(fast, 50) == 49


@pytest.mark.slow
async def test_a_client_that_does_not_read_gets_all_in_the_end() -> None:
    """What it sends meanwhile waits with it, not in memory of ours."""
    asked = get() * 4
    async with replicas() as both:
        for replica in both:
            one, _, _ = (await replica.exchange([get()])).partition(b"}HTTP/1.1 ")
            async with Client.of(replica, kernel_bytes=4_096) as client:
                sent = await _push_until_stuck(client, asked)
                behind = sent % len(asked)
                async with asyncio.TaskGroup() as group:
                    answers = group.create_task(client.rest())
                    await client.send(asked[behind:] + LAST)
            count = 4 * (sent // len(asked) + 1)
            told, _, last = masked(answers.result()).rpartition(b"}HTTP/1.1 200 OK")

            assert told + b"}" == (one + b"}") * count
            assert b'"gone"' in last


async def _push_until_stuck(client: Client, asked: bytes) -> int:
    """Send the same again and again until nothing more is taken; return how much."""
    chunk = asked * 20
    sent = refused = 0
    while refused < 100 and sent < 64 * 1024 * 1024:
        took = client.push(chunk[sent % len(asked) :])
        sent += took
        refused = 0 if took else refused + 1
        for _ in range(TURNS):
            await asyncio.sleep(0)
    assert refused, "it was never told to wait"
    return sent


@pytest.mark.slow
async def test_a_client_that_reads_slowly_gets_all() -> None:
    """A few bytes at a time, of more than fits anywhere between."""
    pieces = [get() * 100, heartbeat(), EVERY * 100, GONE, get() * 100]
    told: list[bytes] = []
    async with replicas() as both:
        for replica in both:
            async with (
                Client.of(replica, kernel_bytes=4_096) as client,
                asyncio.TaskGroup() as group,
            ):
                answers = group.create_task(client.rest(1_500))
                for piece in (*pieces, LAST):
                    await client.send(piece)
            told.append(masked(answers.result()))

    assert told[0] == told[1]
    assert told[0].count(b"HTTP/1.1 200 ") == 303


@pytest.mark.parametrize("first", [get(), heartbeat(), GONE])
async def test_a_client_that_closes_its_half_is_told_alike(first: bytes) -> None:
    """Answered or not: as aiohttp does."""
    told: list[bytes] = []
    async with replicas() as both:
        for replica in both:
            async with Client.of(replica) as client:
                await client.send(first)
                client.half_close()
                told.append(masked(await client.rest()))

    assert told[0] == told[1]


@pytest.mark.parametrize("sent", [heartbeat(), register(), heartbeat() + get()])
async def test_a_stop_in_the_middle_of_a_write_answers_it(sent: bytes) -> None:
    """Then it hangs up, and has taken effect."""
    told: list[bytes] = []
    async with replicas() as both:
        for replica in both:
            consensus = replica.cases.consensus
            known = len(consensus.proposed)
            consensus.hold()
            async with Client.of(replica) as client:
                await client.send(sent)
                async with asyncio.timeout(5.0):
                    while len(consensus.proposed) == known:
                        await asyncio.sleep(0.001)
                    stop = asyncio.create_task(replica.server.stop())
                    await client.send(GONE)
                    consensus.release()
                    await stop
                told.append(masked(await client.rest()))

    assert told[0] == told[1]
    assert told[0].count(b"HTTP/1.1 200 ") == 1


@pytest.mark.parametrize("sent", [heartbeat(), register()])
async def test_a_client_that_hangs_up_in_a_write_has_written(sent: bytes) -> None:
    """The server notices neither sooner nor later than aiohttp."""
    async with replicas() as both:
        for replica in both:
            consensus = replica.cases.consensus
            known, index = len(consensus.proposed), consensus.index
            consensus.hold()
            async with Client.of(replica) as client:
                await client.send(sent)
                async with asyncio.timeout(5.0):
                    while len(consensus.proposed) == known:
                        await asyncio.sleep(0.001)
            consensus.release()
            async with asyncio.timeout(5.0):
                while consensus.index == index:
                    await asyncio.sleep(0.001)
            await replica.exchange([get()])

        assert effects(both[1].cases) == effects(both[0].cases)


async def test_an_idle_connection_is_closed_after_hot_answers_only() -> None:
    """Neither at once, nor never."""
    async with replicas(keep_alive_s=0.2) as both:
        for replica in both:
            async with Client.of(replica) as client:
                await client.send(get())
                began_s = asyncio.get_running_loop().time()
                assert (await client.rest()).startswith(b"HTTP/1.1 200 ")
                assert asyncio.get_running_loop().time() >= began_s + 0.1


async def test_refused_writes_tell_of_their_peer() -> None:
    """Its address is the connection's."""
    async with replicas() as both:
        shown = [
            await r.exchange([heartbeat("nobody"), request("GET", "/refusals")])
            for r in both
        ]

    assert shown[0] == shown[1]
    assert b'"peer":"127.0.0.1"' in shown[0]
