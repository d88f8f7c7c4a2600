"""Links that break, stall or are doubled; and how they come back."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.links.framing import framed
from cluster.links.settings import NoSecurity
from tests.integration.links.conftest import Run
from tests.integration.links.raw import closed, dial, opened, reading_nothing
from tests.integration.links.replicas import (
    LIMITS,
    NOWHERE,
    Replica,
    meshed,
    replicas,
    until,
)
from tests.integration.links.securities import MODES, securities

OPEN = NoSecurity()
MIB = 1024 * 1024


def test_a_peer_that_restarts_is_found_again(run: Run) -> None:
    """At its new address: names are looked at for each attempt."""

    async def scenario() -> None:
        async with replicas("ab") as (a, b):
            await meshed([a, b])
            await b.links.close()
            await until(lambda: a.breaks == 1)
            back = Replica("b", {"a": ("localhost", a.links.port)}, OPEN, LIMITS)
            await back.links.start(back)
            a.peers["b"] = ("localhost", back.links.port)
            await meshed([a, back])
            a.links.send("b", b"welcome")
            await until(lambda: back.frames == [("a", b"welcome")])
            await back.links.close()

    run(scenario())


def test_an_unreachable_peer_is_dialled_with_back_off(run: Run) -> None:
    """And does not hold up the others, nor the end."""

    async def scenario() -> None:
        peers = {"b": NOWHERE, "c": ("no..name", 1)}
        replica = Replica("a", peers, OPEN, LIMITS)
        await replica.links.start(replica)
        await until(lambda: replica.links.stats().dials_failed >= 9)
        await replica.links.close()
        assert not replica.connected
        assert replica.failures == []

    run(scenario())


@pytest.mark.parametrize("mode", MODES)
def test_a_peer_that_does_not_read_fills_its_buffer_and_loses_the_link(
    run: Run, mode: str, tmp_path: Path
) -> None:
    """Memory stays bounded; the owner is told, and will resynchronise the peer."""

    async def scenario() -> None:
        proofs = securities(mode, tmp_path)
        async with reading_nothing("b", proofs["b"]) as port:
            a = Replica("a", {"b": ("127.0.0.1", port)}, proofs["a"], LIMITS)
            await a.links.start(a)
            await meshed_with(a)
            taken = 0
            while a.links.send("b", bytes(MIB - 64)):
                taken += 1
                await asyncio.sleep(0)
            # What the two kernels hold comes on top.
            assert 16 <= taken < 40
            assert a.refused("buffer_full") == 1
            assert a.breaks == 0  # reported later, never within the call
            await until(lambda: a.breaks == 1)
            await a.links.close()

    run(scenario())


@pytest.mark.parametrize("mode", MODES)
def test_a_peer_that_takes_nothing_for_too_long_loses_the_link(
    run: Run, mode: str, tmp_path: Path
) -> None:
    """Its machine is up, it is not (or the network is gone, one way)."""

    async def scenario() -> None:
        proofs = securities(mode, tmp_path)
        async with reading_nothing("b", proofs["b"]) as port:
            limits = replace(LIMITS, silence_s=0.3)
            a = Replica("a", {"b": ("127.0.0.1", port)}, proofs["a"], limits)
            await a.links.start(a)
            await meshed_with(a)
            for _ in range(14):
                assert a.links.send("b", bytes(MIB))
            await until(lambda: a.breaks == 1)
            assert a.refused("buffer_full") == 0
            await a.links.close()

    run(scenario())


async def meshed_with(a: Replica) -> None:
    """Return once ``a`` can send to b."""
    await until(lambda: a.connected == {"b"})


def test_a_silent_peer_is_closed(run: Run) -> None:
    """Its owner sends a keep-alive each second, so silence means that it is gone."""

    async def scenario() -> None:
        async with replicas("ab", limits=replace(LIMITS, silence_s=0.2)) as (a, b):
            await until(lambda: b.refused("silent") > 0)
            await until(lambda: a.breaks > 0)
            await meshed([a, b])

    run(scenario())


def test_a_peer_that_is_heard_is_not_silent(run: Run) -> None:
    """Any byte counts."""

    async def scenario() -> None:
        async with replicas("ab", limits=replace(LIMITS, silence_s=0.2)) as (a, b):
            await meshed([a, b])
            then_s = time.monotonic() + 0.6
            while time.monotonic() < then_s:
                await keep_alive(a, b)
            assert (a.breaks, b.breaks) == (0, 0)

    run(scenario())


def test_a_loop_that_stood_still_blames_nobody(run: Run) -> None:
    """What the peer sent waits in the kernel, even if the timer comes first."""

    async def scenario() -> None:
        async with replicas("ab", limits=replace(LIMITS, silence_s=0.2)) as (a, b):
            await meshed([a, b])
            await keep_alive(a, b)
            then_s = time.monotonic() + 0.3
            while time.monotonic() < then_s:
                pass
            await keep_alive(a, b)
            assert (a.breaks, b.breaks) == (0, 0)
            assert a.refused("silent") == b.refused("silent") == 0

    run(scenario())


async def keep_alive(a: Replica, b: Replica) -> None:
    """Each sends a frame, and hears the other's."""
    heard = len(a.frames), len(b.frames)
    assert a.links.send("b", b"alive")
    assert b.links.send("a", b"alive")
    await until(lambda: len(a.frames) > heard[0] and len(b.frames) > heard[1])


def test_a_newer_connection_of_a_peer_replaces_the_older(run: Run) -> None:
    """The older may be a dead one that nobody has noticed yet."""

    async def scenario() -> None:
        a = Replica("a", {"b": NOWHERE}, OPEN, LIMITS)
        await a.links.start(a)
        async with opened(a.links.port) as old, opened(a.links.port) as new:
            await dial(old, "b", "a", OPEN)
            old[1].write(framed(b"old"))
            await until(lambda: a.frames == [("b", b"old")])
            await dial(new, "b", "a", OPEN)
            assert await closed(old[0])
            new[1].write(framed(b"new"))
            await until(lambda: a.frames[1:] == [("b", b"new")])
            assert a.links.stats().incoming_up == 1
        await a.links.close()

    run(scenario())


def test_a_frame_longer_than_allowed_ends_the_link_when_announced(run: Run) -> None:
    """From a peer as well: 10 MB are never buffered."""

    async def scenario() -> None:
        a = Replica("a", {"b": NOWHERE}, OPEN, LIMITS)
        await a.links.start(a)
        async with opened(a.links.port) as streams:
            await dial(streams, "b", "a", OPEN)
            streams[1].write((10_000_000).to_bytes(4, "big"))
            assert await closed(streams[0])
        await until(lambda: a.refused("frame_too_long") == 1)
        await a.links.close()

    run(scenario())


def test_a_connection_that_ends_within_a_frame_is_told_apart(run: Run) -> None:
    """The part that arrived is not delivered."""

    async def scenario() -> None:
        a = Replica("a", {"b": NOWHERE}, OPEN, LIMITS)
        await a.links.start(a)
        async with opened(a.links.port) as streams:
            await dial(streams, "b", "a", OPEN)
            streams[1].write(framed(b"whole") + framed(b"half of it")[:-3])
            await until(lambda: a.frames == [("b", b"whole")])
        await until(lambda: a.refused("truncated") == 1)
        await a.links.close()

    run(scenario())
