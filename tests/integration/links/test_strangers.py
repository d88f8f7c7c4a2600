"""A stranger at the Raft port: no effect on the links but a counter and a rejection."""

import asyncio
import os
import resource
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.links.framing import framed
from cluster.links.settings import Security, SharedKeys
from tests.integration.links.conftest import Run
from tests.integration.links.raw import closed, dial, opened
from tests.integration.links.replicas import LIMITS, Replica, meshed, replicas, until
from tests.integration.links.securities import MODES, ONE, TWO, securities

KEYED: Mapping[str, Security] = dict.fromkeys("ab", SharedKeys((ONE,)))
HASTY = replace(LIMITS, handshake_s=0.2)


async def still_works(a: Replica, b: Replica) -> None:
    """The links that were up before are up, unbroken."""
    assert (a.breaks, b.breaks) == (0, 0)
    before = len(b.frames)
    assert a.links.send("b", b"still")
    await until(lambda: len(b.frames) == before + 1)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "garbage"),
        (os.urandom(5_000), "garbage"),
        ((10_000_000).to_bytes(4, "big") + bytes(8), "garbage"),
        (framed(b"\x80\x05\x95\x1c\x00pickled bomb"), "garbage"),
        (framed(b"SRLK\x01\x01"), "garbage"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "garbage"),
    ],
)
def test_garbage_is_closed_and_counted(run: Run, sent: bytes, reason: str) -> None:
    """Whatever it is, a 10 MB announcement included."""

    async def scenario() -> None:
        async with replicas("ab", KEYED) as (a, b):
            await meshed([a, b])
            async with opened(b.links.port) as (reader, writer):
                writer.write(sent)
                assert await closed(reader)
            await until(lambda: b.refused(reason) == 1)
            assert b.links.stats().unauthenticated == 0
            await still_works(a, b)

    run(scenario())


@pytest.mark.parametrize("mode", MODES)
def test_a_handshake_that_is_never_finished_ends_at_its_deadline(
    run: Run, mode: str, tmp_path: Path
) -> None:
    """Half a hello (or half a TLS hello) holds a place for its deadline only."""

    async def scenario() -> None:
        async with replicas("ab", securities(mode, tmp_path), HASTY) as (a, b):
            await meshed([a, b])
            async with opened(b.links.port) as (reader, writer):
                half = b"\x16\x03\x01" if mode == "tls" else b"\x00\x00\x00\x40SRLK"
                writer.write(half)
                await until(lambda: b.links.stats().unauthenticated == 1)
                assert await closed(reader)
            await until(lambda: b.links.stats().unauthenticated == 0)
            assert b.refused("handshake_late") == 1
            await still_works(a, b)

    run(scenario())


def test_plain_bytes_at_a_tls_port_are_refused(run: Run, tmp_path: Path) -> None:
    """Counted as a failed TLS handshake."""

    async def scenario() -> None:
        async with replicas("ab", securities("tls", tmp_path)) as (a, b):
            await meshed([a, b])
            async with opened(b.links.port) as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                assert await closed(reader)
            await until(lambda: b.refused("tls_failed") == 1)
            await still_works(a, b)

    run(scenario())


def test_another_key_makes_no_link(run: Run) -> None:
    """Both sides say so: the dialled one that it does not know the key."""

    async def scenario() -> None:
        mixed = {"a": SharedKeys((ONE,)), "b": SharedKeys((TWO,))}
        async with replicas("ab", mixed) as (a, b):
            await until(lambda: b.refused("unknown_key") > 0)
            await until(
                lambda: "peer_alert: the other side says unknown_key" in a.rejected
            )
            assert not a.connected
            assert not a.refusals

    run(scenario())


def test_frames_without_a_seal_end_the_connection(run: Run) -> None:
    """A forged `apply_command` in place of a sealed frame: nothing is delivered."""

    async def scenario() -> None:
        async with replicas("ab", KEYED) as (a, b):
            await meshed([a, b])
            async with opened(b.links.port) as (reader, writer):
                await dial((reader, writer), "a", "b", KEYED["a"])
                writer.write(framed(b"apply_command and more bytes"))
                assert await closed(reader)
            await until(lambda: b.refused("forged") == 1)
            assert b.frames == []

    run(scenario())


def test_a_repeated_frame_ends_the_connection(run: Run) -> None:
    """Someone in the path sends a recorded frame again."""

    async def scenario() -> None:
        async with replicas("ab", KEYED) as (a, b):
            await meshed([a, b])
            async with opened(b.links.port) as (reader, writer):
                made = await dial((reader, writer), "a", "b", KEYED["a"])
                frame = framed(made.sealer.seal(b"once"))
                writer.write(frame + frame)
                assert await closed(reader)
            await until(lambda: b.refused("forged") == 1)
            assert b.frames == [("a", b"once")]

    run(scenario())


def test_two_thousand_connections_leave_the_links_alone(run: Run) -> None:
    """At most 64 strangers are inside; the others are closed at once and counted."""

    async def scenario() -> None:
        async with replicas("ab", KEYED) as (a, b):
            await meshed([a, b])
            crowd = [socket.socket() for _ in range(2_000)]
            try:
                for first in range(0, len(crowd), 100):
                    await enter(crowd[first : first + 100], b.links.port)
                    assert b.links.stats().unauthenticated <= 64
                    await still_works(a, b)
                await until(lambda: b.refused("unauthenticated_full") == 2_000 - 64)
                assert b.links.stats().unauthenticated == 64
            finally:
                for sock in crowd:
                    sock.close()
            await until(lambda: b.links.stats().unauthenticated == 0)
            a.links.drop("b")
            await until(lambda: a.breaks == 1)
            await meshed([a, b])

    with descriptors(6_000):
        run(scenario())


async def enter(crowd: list[socket.socket], port: int) -> None:
    """Connect all of them."""
    loop = asyncio.get_running_loop()
    for sock in crowd:
        sock.setblocking(False)
    connects = [loop.sock_connect(sock, ("127.0.0.1", port)) for sock in crowd]
    await asyncio.gather(*connects)


def test_running_out_of_descriptors_does_not_end_the_listener(run: Run) -> None:
    """Accepting goes on when there are some again; links are not touched."""

    async def scenario() -> None:
        async with replicas("ab", KEYED) as (a, b):
            await meshed([a, b])
            visitor = socket.socket()
            visitor.setblocking(False)
            held: list[int] = []
            try:
                while True:
                    held.append(os.dup(visitor.fileno()))
            except OSError:
                pass
            try:
                await enter([visitor], b.links.port)
                await still_works(a, b)
                assert b.links.stats().unauthenticated == 0
            finally:
                for descriptor in held:
                    os.close(descriptor)
            await until(lambda: b.links.stats().unauthenticated == 1)
            visitor.close()
            await until(lambda: b.refused("handshake_ended") == 1)
            await still_works(a, b)

    with descriptors(300):
        run(scenario())


class descriptors:  # noqa: N801
    """Allow this process so many open files, while the block runs."""

    def __init__(self, count: int) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_NOFILE)
        unlimited = self._before[1] == resource.RLIM_INFINITY
        self._count = count if unlimited else min(count, self._before[1])

    def __enter__(self) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._count, self._before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, self._before)
