"""Connections kept between checks: used again, and never the reason for a result."""

import asyncio

import pytest

from registry.health.probes.kept import MOST_USES
from tests.integration.probes import servers
from tests.integration.probes.servers import OK, Reader, Writer


async def answer_once(reader: Reader, writer: Writer) -> None:
    """Fall silent then, as where a NAT has forgotten an idle connection."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    await reader.read()


async def test_a_kept_connection_is_used_again() -> None:
    """At 10,000 checks a fresh one each time would be most of the cost."""
    async with servers.answering(OK) as running, servers.prober() as prober:
        for _ in range(5):
            assert (await prober.probe(servers.target(running.port))).passed

        assert running.connections == 1
        assert b"User-Agent: service-registry-health-check\r\n" in running.requests[0]
        assert b"Connection: close" not in running.requests[0]


async def test_beyond_the_bound_connections_are_closed() -> None:
    """Descriptors are for the log and the clients."""
    async with (
        servers.answering(OK) as first,
        servers.answering(OK) as second,
        servers.prober(max_kept=1) as prober,
    ):
        for _ in range(3):
            await prober.probe(servers.target(first.port))
            await prober.probe(servers.target(second.port))

        assert (first.connections, second.connections) == (1, 3)
        assert b"Connection: close\r\n" in second.requests[0]


@pytest.mark.parametrize("with_reset", [False, True])
async def test_a_kept_connection_that_breaks_is_no_failure(with_reset: bool) -> None:
    """A peer may end an idle connection just when the next request is sent."""

    async def once(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        if with_reset:
            servers.reset(writer)

    async with servers.serving(once) as running, servers.prober() as prober:
        results = [await prober.probe(servers.target(running.port)) for _ in range(4)]

        assert all(result.passed for result in results), results
        assert running.connections == 4


async def test_an_old_connection_does_not_hide_that_nobody_listens() -> None:
    """A process that has closed its port may answer on it for ever."""
    async with servers.answering(OK) as running, servers.prober() as prober:
        await prober.probe(servers.target(running.port))
        running.listener.close()
        causes = [
            (await prober.probe(servers.target(running.port))).cause
            for _ in range(MOST_USES)
        ]

    assert causes == ["200"] * (MOST_USES - 1) + ["connect refused"]


async def test_a_connection_is_closed_after_its_last_use() -> None:
    """Not left idle beside the fresh one."""
    open_ones: set[Writer] = set()

    async def answer(reader: Reader, writer: Writer) -> None:
        open_ones.add(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(OK)
        finally:
            open_ones.remove(writer)

    async with servers.serving(answer) as running, servers.prober() as prober:
        for _ in range(3 * MOST_USES + 1):
            assert (await prober.probe(servers.target(running.port))).passed

        assert running.connections == 4
        assert len(open_ones) == 1


async def test_a_kept_connection_that_fell_silent_is_no_failure() -> None:
    """What is sent on it is lost without a word."""
    async with servers.serving(answer_once) as running, servers.prober() as prober:
        target = servers.target(running.port, timeout_s=1.0)
        results = [await prober.probe(target) for _ in range(3)]

        assert all(result.passed for result in results), results
        # The silent one was given up: the third probe made the next.
        assert running.connections == 3


async def test_the_fresh_connection_decides_when_a_kept_one_is_silent() -> None:
    """Its failure is the target's, with its own words."""
    async with servers.serving(answer_once) as running, servers.prober() as prober:
        target = servers.target(running.port, timeout_s=1.0)
        await prober.probe(target)
        running.listener.close()
        result = await prober.probe(target)

    assert (result.cause, result.is_unreachable) == ("connect refused", True)


async def test_a_slow_answer_on_a_kept_connection_counts() -> None:
    """Slow is within the time-out: it must not fail because it was asked twice."""
    is_asked_again = asyncio.Event()

    async def slow(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if running.connections > 1:
            is_asked_again.set()
            await reader.read()
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        await is_asked_again.wait()
        writer.write(OK)

    async with servers.serving(slow) as running, servers.prober() as prober:
        target = servers.target(running.port, timeout_s=1.0)
        results = [await prober.probe(target) for _ in range(2)]

    assert all(result.passed for result in results), results


async def test_several_kept_connections_that_break_are_no_failure() -> None:
    """A peer that was restarted resets each of them."""
    are_both_asked = asyncio.Barrier(2)

    async def once(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if running.connections <= 2:
            await are_both_asked.wait()
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        servers.reset(writer)

    async with servers.serving(once) as running, servers.prober() as prober:
        target = servers.target(running.port)
        await asyncio.gather(prober.probe(target), prober.probe(target))
        result = await prober.probe(target)

        assert result.passed, result
        assert running.connections == 3


async def test_a_fresh_connection_is_tried_once() -> None:
    """Whoever does not answer is not asked twice."""

    async def hang(reader: Reader, writer: Writer) -> None:
        await reader.read()

    async with servers.serving(hang) as running, servers.prober() as prober:
        result = await prober.probe(servers.target(running.port, timeout_s=0.4))

        assert result.cause == "timed out after 0.4 s"
        assert running.connections == 1
