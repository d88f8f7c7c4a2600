"""Replicas exchange frames, in every mode."""

import asyncio
from pathlib import Path

import pytest

from cluster.errors import StartRefused
from cluster.links.settings import NoSecurity
from tests.integration.links.conftest import Run
from tests.integration.links.replicas import LIMITS, Replica, meshed, replicas, until
from tests.integration.links.securities import MODES, securities

MIB = 1024 * 1024


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ids", ["ab", "abc"])
def test_every_replica_reaches_every_other(
    run: Run, mode: str, ids: str, tmp_path: Path
) -> None:
    """Both sides dial, and each sends on what it dialled."""

    async def scenario() -> None:
        async with replicas(ids, securities(mode, tmp_path)) as made:
            await meshed(made)
            for one in made:
                for other in one.connected:
                    assert one.links.send(other, f"{one.node_id}>{other}".encode())
            for one in made:
                await until(lambda it=one: len(it.frames) == len(ids) - 1)  # type: ignore[misc]
                sent = {
                    (peer, f"{peer}>{one.node_id}".encode()) for peer in one.connected
                }
                assert set(one.frames) == sent
                stats = one.links.stats()
                assert (stats.outgoing_up, stats.incoming_up) == (len(sent), len(sent))
                assert (stats.frames_out, stats.frames_in) == (len(sent), len(sent))
                assert stats.bytes_in == stats.bytes_out > 0
                assert stats.unauthenticated == 0

    run(scenario())


@pytest.mark.parametrize("mode", MODES)
def test_frames_arrive_in_order_and_whole(run: Run, mode: str, tmp_path: Path) -> None:
    """Empty ones, many small ones in one turn, and the longest allowed."""

    async def scenario() -> None:
        async with replicas("ab", securities(mode, tmp_path)) as made:
            a, b = made
            await meshed(made)
            frames = [b"", *(b"%d" % n for n in range(2_000)), b"x" * (2 * MIB), b"end"]
            assert all(a.links.send("b", frame) for frame in frames)
            await until(lambda: len(b.frames) == len(frames))
            assert b.frames == [("a", frame) for frame in frames]

    run(scenario())


def test_a_frame_that_is_too_long_is_the_senders_defect(run: Run) -> None:
    """The receiver would end the link, again and again."""

    async def scenario() -> None:
        async with replicas() as made:
            await meshed(made)
            with pytest.raises(ValueError, match="too long"):
                made[0].links.send("b", bytes(2 * MIB + 1))

    run(scenario())


def test_without_a_link_nothing_is_sent(run: Run) -> None:
    """Nothing is kept for a peer that is not there: the owner sends afresh."""

    async def scenario() -> None:
        async with replicas() as (a, b):
            assert not a.links.send("b", b"early")
            assert not a.links.send("nobody", b"frame")
            await meshed([a, b])
            a.links.drop("b")
            assert not a.links.send("b", b"late")

    run(scenario())


def test_a_refused_hello_tells_the_peer_why(run: Run) -> None:
    """It waits, asks again, and is taken once the reason is gone."""

    async def scenario() -> None:
        async with replicas() as (a, b):
            b.refusal = "of another cluster"
            await until(lambda: ("b", "of another cluster") in a.refusals)
            assert not a.connected
            assert not b.connected
            b.refusal = None
            await meshed([a, b])

    run(scenario())


@pytest.mark.parametrize("mode", MODES)
def test_a_dropped_peer_is_dialled_again(run: Run, mode: str, tmp_path: Path) -> None:
    """`drop` ends both directions; both come back."""

    async def scenario() -> None:
        async with replicas("ab", securities(mode, tmp_path)) as (a, b):
            await meshed([a, b])
            a.links.drop("b")
            assert a.breaks == 0  # reported later, never within the call
            await until(lambda: a.breaks == 1 and b.breaks == 1)
            await meshed([a, b])
            assert a.links.send("b", b"again")
            await until(lambda: ("a", b"again") in b.frames)

    run(scenario())


def test_a_dishonest_frame_ends_the_link(run: Run) -> None:
    """Counted; what comes after it on that connection is not delivered."""

    async def scenario() -> None:
        async with replicas() as (a, b):
            await meshed([a, b])
            for frame in (b"good", b"dishonest", b"after"):
                a.links.send("b", frame)
            await until(lambda: a.breaks == 1)
            assert b.frames == [("a", b"good")]
            assert b.refused("bad_frame") == 1
            assert "bad_frame: nobody sends this" in b.rejected

    run(scenario())


def test_a_port_that_is_taken_refuses_the_start(run: Run) -> None:
    """Before anyone is dialled: a second process under one id must not disturb."""

    async def scenario() -> None:
        async with replicas() as (a, b):
            await meshed([a, b])
            address = ("127.0.0.1", a.links.port)
            second = Replica("c", {"a": address}, NoSecurity(), LIMITS, address)
            with pytest.raises(StartRefused, match=rf"{address[1]}.*in use"):
                await second.links.start(second)
            assert second.links.stats().dials == 0
            await second.links.close()

    run(scenario())


def test_an_address_of_another_machine_refuses_the_start(run: Run) -> None:
    """And a name that does not resolve, as well."""

    async def scenario() -> None:
        for host in ("192.0.2.1", "no..name"):
            replica = Replica("a", {}, NoSecurity(), LIMITS, (host, 0))
            with pytest.raises(StartRefused, match=f"cannot bind the Raft port {host}"):
                await replica.links.start(replica)

    run(scenario())


def test_after_close_nothing_is_left(run: Run) -> None:
    """No event, no task, and the port can be bound again at once."""

    async def scenario() -> None:
        async with replicas() as (a, b):
            await meshed([a, b])
            port = a.links.port
            await a.links.close()
            assert a.breaks == 0
            await until(lambda: b.breaks == 1)
            again = Replica("a", {}, NoSecurity(), LIMITS, ("127.0.0.1", port))
            await again.links.start(again)
            await again.links.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left

    run(scenario())
