"""Heartbeats go into the log together, and each has its own answer."""

import asyncio
import gc

import pytest

from registry.catalog.outcomes import Code
from registry.errors import NoLeader, OutcomeUnknown, Overloaded
from registry.leases import renewer as module
from registry.leases.renewer import Renewed, Renewer
from registry.model import ServiceId
from tests.support.virtual import virtually
from tests.unit.leases.world import World


def _renewer(world: World) -> Renewer:
    renewer = Renewer(world.proposals, world.clock, world.observer)
    world.proposals.before_each = renewer.ride
    return renewer


def _beat(
    world: World, renewer: Renewer, port: int, *, within_s: float = 5.0
) -> "asyncio.Task[Renewed]":
    deadline_s = world.clock.now_s() + within_s
    beat = renewer.renew(ServiceId(f"id-{port}"), deadline_s=deadline_s)

    async def answered() -> Renewed:
        return await asyncio.shield(beat)

    return asyncio.create_task(answered())


@virtually
async def test_eight_go_at_once() -> None:
    """They do not wait for more."""
    world = World()
    renewer = _renewer(world)
    await world.register(80)
    beats = [_beat(world, renewer, port) for port in range(80, 88)]
    answers = await asyncio.gather(*beats)
    assert world.clock.now_s() == 0.0
    assert [code for _, code in answers] == [Code.OK] + [Code.UNKNOWN_SERVICE_ID] * 7
    assert {index for index, _ in answers} == {2}


@virtually
async def test_one_waits_20_ms_for_company() -> None:
    """And the same id twice is renewed once, and answered twice."""
    world = World()
    renewer = _renewer(world)
    await world.register(80)
    beats = [_beat(world, renewer, 80), _beat(world, renewer, 80)]
    assert await asyncio.gather(*beats) == [(2, Code.OK)] * 2
    assert 0.02 <= world.clock.now_s() < 0.021


@virtually
async def test_they_ride_with_another_command() -> None:
    """The log is written anyway."""
    world = World()
    renewer = _renewer(world)
    await world.register(80)
    beat = _beat(world, renewer, 80)
    await asyncio.sleep(0)
    await world.register(81)
    await beat
    assert world.clock.now_s() == 0.0


@virtually
async def test_an_error_reaches_all() -> None:
    """Each caller says it to its own client."""
    world = World()
    renewer = _renewer(world)
    world.consensus.refuses = NoLeader
    beats = [_beat(world, renewer, port) for port in (80, 81)]
    errors = await asyncio.gather(*beats, return_exceptions=True)
    assert [type(error) for error in errors] == [NoLeader, NoLeader]


@virtually
async def test_at_its_deadline_the_outcome_is_unknown() -> None:
    """A proposal that hangs may still take effect."""
    world = World()
    renewer = _renewer(world)
    world.consensus.hold()
    with pytest.raises(OutcomeUnknown):
        await _beat(world, renewer, 80, within_s=1.0)
    assert world.clock.now_s() < 1.1
    world.consensus.release()
    await asyncio.sleep(0.1)


@virtually
async def test_a_caller_that_goes_away_leaves_the_others_alone() -> None:
    """Also of the same id."""
    world = World()
    renewer = _renewer(world)
    await world.register(80)
    left, stayed = _beat(world, renewer, 80), _beat(world, renewer, 80)
    await asyncio.sleep(0)
    left.cancel()
    assert (await stayed)[1] is Code.OK


@virtually
async def test_one_that_is_cancelled_itself_leaves_the_others_alone() -> None:
    """Which nobody should do, and somebody will."""
    world = World()
    renewer = _renewer(world)
    await world.register(80)
    renewer.renew(ServiceId("id-81"), deadline_s=5.0).cancel()
    assert (await _beat(world, renewer, 80))[1] is Code.OK


@virtually
async def test_an_error_that_nobody_waits_for_is_no_trouble() -> None:
    """The loop would complain of it when it is forgotten."""
    world = World()
    renewer = _renewer(world)
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, found: complaints.append(found["message"]))
    world.consensus.refuses = NoLeader
    renewer.renew(ServiceId("id-80"), deadline_s=5.0)
    await asyncio.sleep(0.1)
    gc.collect()
    assert complaints == []


@virtually
async def test_too_many_that_wait_are_refused() -> None:
    """Safe to retry: nothing was proposed."""
    world = World()
    renewer = _renewer(world)
    world.consensus.hold()
    beats = [_beat(world, renewer, n) for n in range(module.MOST_WAITING)]
    await asyncio.sleep(0.1)
    with pytest.raises(Overloaded):
        await _beat(world, renewer, 80)
    world.consensus.release()
    await asyncio.gather(*beats)
    assert (await _beat(world, renewer, 80))[1] is Code.UNKNOWN_SERVICE_ID


@virtually
async def test_revivals_are_counted() -> None:
    """By the replica that the heartbeat came through."""
    world = World()
    renewer = _renewer(world)
    async with world.leading():
        await world.register(80, ttl_s=1.0)
        await asyncio.sleep(1.5)
        assert (await _beat(world, renewer, 80))[1] is Code.REVIVED
    assert world.observer.revivals == 1
