"""Writes: the same commands, refusals and counts, whoever answers them."""

import orjson
import pytest

from registry.errors import NoLeader, OutcomeUnknown, Overloaded, Stopping
from tests.support.differential import Both, Manner, Side, both
from tests.support.http_bytes import get, heartbeat, register, request

HELD = Manner(holds_writes=True)
DEFECT = RuntimeError("secret")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"web"',
        b" ",
        b"\xff",
        b"[" * 30_000,
        b'{"name":"web"}',
        b'{"name":"web","host":"h","port":"1"}',
        b'{"name":"web","host":"h","port":1,"port":2}',
        b'{"name":"a/b","host":"h","port":1}',
        b'{"name":"web","host":"h","port":1,"service_id":"api-1"}',
        b'{"name":"web","host":"h","port":1,"service_id":"web-1"}',
        b'{"name":"web","host":"169.254.169.254","port":1,"health_endpoint":"/"}',
        b'{"name":"web","host":"h","port":1,"check":{"kind":"grpc"}}',
        b'{\r\n"name": "web",\r\n\r\n"host": "h", "port": 1}\r\n',
        b'{\n"name": "web",\n"host": "h",\n"port": 1}',
        b'{"name":7,"service_id":["x"],"host":"' + b"h" * 1_000 + b'"}',
        orjson.dumps({"name": "web", "host": "h", "port": 1, "version": "x" * 40_000}),
    ],
)
async def test_a_registration_is_taken_or_refused_alike(body: bytes) -> None:
    """With the same problem, and the same entry among the refusals."""
    sent = request("POST", "/register", body=body)
    async with both() as sides:
        await sides.agree([sent])
        await sides.agree([get() + sent, sent + get()])
        await sides.agree(
            [request("GET", "/refusals") + request("GET", "/services/web")]
        )


@pytest.mark.parametrize("size", [64 * 1024 - 200, 64 * 1024, 64 * 1024 + 1, 200_000])
async def test_a_large_registration_is_answered_alike(size: int) -> None:
    """Near the bound of bodies, and far beyond it."""
    head = b'{"name":"web","host":"h","port":1,"x":"'
    body = head + b"y" * (size - len(head) - 2) + b'"}'
    sent = request("POST", "/register", body=body)
    async with both() as sides:
        await sides.agree([sent, get()])
        await sides.agree([get() + sent[:1_000], sent[1_000:] + get(), get()])


async def test_a_registration_is_hot() -> None:
    """Good or bad: nothing of either needs aiohttp."""
    async with both() as sides:
        told = await sides.agree([register(1), register(0), register(2) * 2], hot=4)

    assert told.answers.count(b"HTTP/1.1 200 ") == 3
    assert told.answers.count(b"HTTP/1.1 400 ") == 1


async def test_a_heartbeat_of_an_unknown_id_is_refused_alike() -> None:
    """It tells the client to register again, and is noted."""
    async with both() as sides:
        told = await sides.agree([heartbeat("nobody")], hot=1)
        shown = await sides.agree([request("GET", "/refusals")])

    assert told.answers.startswith(b"HTTP/1.1 404 ")
    assert b'"service_id":"nobody"' in shown.answers
    assert b'"peer":"127.0.0.1"' in shown.answers


@pytest.mark.parametrize("error", [NoLeader, OutcomeUnknown, Overloaded, Stopping])
@pytest.mark.parametrize("sent", [heartbeat(), register(), register(5, service_id="a")])
async def test_a_write_that_fails_is_told_alike(
    error: type[NoLeader], sent: bytes
) -> None:
    """Whether a retry is safe, when, and under which id."""

    async def fail(side: Side) -> None:
        side.cases.consensus.refuses = lambda: error("for a test")

    async with both() as sides:
        await sides.each(fail)
        told = await sides.agree([sent + get()], hot=2)

    assert b"HTTP/1.1 503 " in told.answers or b"HTTP/1.1 504 " in told.answers


@pytest.mark.parametrize("sent", [heartbeat(), register()])
async def test_a_defect_is_told_alike(sent: bytes) -> None:
    """As an id and nothing else; the connection goes on."""

    async def break_it(side: Side) -> None:
        side.cases.consensus.breaks = DEFECT

    async with both() as sides:
        await sides.each(break_it)
        told = await sides.agree([get() + sent + get()], hot=3)

    assert b"HTTP/1.1 500 " in told.answers
    assert b"secret" not in told.answers


async def _cut_off(sides: Both, sent: list[bytes]) -> list[object]:
    """Let the client hang up while the first write is under way."""
    for side in (sides.plain, sides.fast):
        consensus = side.cases.consensus
        consensus.hold()
        wire = side.connect()
        for piece in sent:
            wire.feed(piece)
            await side.settled(wire)
        wire.close()
        await side.settled(wire)
        consensus.release()
        await side.settled(wire)
        assert wire.sent == b""
    assert sides.fast.effects() == sides.plain.effects()
    return sides.fast.effects()


@pytest.mark.parametrize("first", [heartbeat(), register(), heartbeat("nobody")])
@pytest.mark.parametrize("joined", [False, True])
async def test_a_write_whose_client_hangs_up_takes_effect(
    first: bytes, joined: bool
) -> None:
    """It is in the log; but nothing behind it is heard any more."""
    rest = [get(), heartbeat("web-2"), register(9)]
    async with both() as sides:
        before = len(sides.fast.cases.consensus.proposed)
        sent = [b"".join([first, *rest])] if joined else [first, *rest]
        await _cut_off(sides, sent)

        assert len(sides.fast.cases.consensus.proposed) == before + 1
        assert sides.fast.cases.consensus.index == before + 1


async def test_what_arrives_behind_a_write_is_bounded() -> None:
    """Beyond 64 KiB nothing more is read until the write is answered."""
    padded = get("/services/web", "X: " + "y" * 4_000)
    async with both() as sides:
        told = await sides.agree([heartbeat(), *[padded] * 100, heartbeat()], HELD)
        assert told.answers.count(b"HTTP/1.1 200 ") == 102

        side = sides.fast
        side.cases.consensus.hold()
        wire = side.connect()
        wire.feed(heartbeat())
        fed = 0
        while not wire.is_reading_paused:
            wire.feed(padded)
            fed += len(padded)
            assert fed < 70 * 1024
        side.cases.consensus.release()
        await side.settled(wire)

        assert wire.sent.count(b"HTTP/1.1 200 ") == 1 + fed // len(padded)


async def test_bytes_behind_a_write_that_never_comes_back_are_bounded_alike() -> None:
    """One by one they cost most."""
    async with both() as sides:
        side = sides.fast
        side.cases.consensus.hold()
        wire = side.connect()
        wire.feed(heartbeat())
        fed = 0
        while not wire.is_reading_paused and fed < 100_000:
            wire.feed(b"G")
            fed += 1
        side.cases.consensus.release()

    assert fed <= 64 * 1024
