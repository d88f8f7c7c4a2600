"""The keeper looks in slices and acts in tasks: what may happen between two steps.

Sixteen drains whose Undrain hangs take every permit, so an Expire must wait for one:
the widest gap between finding a lease due and naming it in the log.
"""

import asyncio
from unittest.mock import patch

import msgspec

from registry.catalog.commands import AnyCommand, Deregister, Drain, Expire, Renew
from registry.leases.keeper import MOST_UNDER_WAY, Keeper
from registry.model import ServiceId
from tests.support.virtual import virtually
from tests.unit.leases.world import HOST, KEY_80, World


def _apply_elsewhere(world: World, command: AnyCommand) -> None:
    """Apply what another replica has proposed, while our own proposals hang."""
    index = world.consensus.skip()
    world.machine.apply(index << 8, msgspec.msgpack.encode(command))
    world.machine.applied(index)
    now_s = world.clock.now_s()
    world.stamps.note(index, world.lease_clock.read(now_s))


async def _due_without_a_permit(world: World) -> None:
    """Come to 30.1 s with the lease of port 80 due and no permit to end it."""
    await world.register(80, ttl_s=30.0)
    for port in range(81, 81 + MOST_UNDER_WAY):
        await world.register(port, ttl_s=0.0)
        key = (KEY_80[0], HOST, port)
        await world.propose(Drain(keys=(key,), reason="", at_ms=0, limit_seconds=29.5))
    await asyncio.sleep(29.3)
    world.consensus.hold()
    await asyncio.sleep(0.8)


def _expires(world: World) -> int:
    decoder = msgspec.msgpack.Decoder(AnyCommand)
    return sum(
        isinstance(decoder.decode(command), Expire)
        for command in world.consensus.proposed
    )


@virtually
async def test_a_lease_renewed_between_two_steps_is_not_ended() -> None:
    """Also if nothing but a turn of the loop or a permit lay between (I4)."""
    world = World()
    async with world.leading():
        await _due_without_a_permit(world)
        renewal = Renew(service_ids=(ServiceId("id-80"),), at_ms=0)
        _apply_elsewhere(world, renewal)
        world.consensus.release()
        await asyncio.sleep(29.9)
        assert world.lives()
        assert _expires(world) == 0
        await asyncio.sleep(0.3)
        assert not world.lives()


@virtually
async def test_a_lease_that_ends_between_two_steps_is_forgotten() -> None:
    """Nothing is proposed for it, and it is no longer watched."""
    world = World()
    async with world.leading():
        await _due_without_a_permit(world)
        _apply_elsewhere(world, Deregister(service_id=ServiceId("id-80"), at_ms=0))
        world.consensus.release()
        await asyncio.sleep(1.0)
        assert _expires(world) == 0
        assert world.keeper.counters()["registry_leases"] == 0.0
    assert world.observer.evictions == {}


@virtually
async def test_what_left_between_two_slices_is_not_watched() -> None:
    """A new leader enters the catalog slice by slice; it changes meanwhile."""
    world = World()
    with patch("registry.leases.keeper.AT_ONE_TURN", 1):
        for port in range(80, 84):
            await world.register(port, ttl_s=30.0)
        run = asyncio.create_task(world.keeper.run())
        await asyncio.sleep(0)  # One is entered, three are not.
        for port in (80, 83):
            await world.deregister(port)
        await asyncio.sleep(0.1)
        assert world.keeper.counters()["registry_leases"] == 2.0
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


@virtually
async def test_a_permit_whose_task_never_began_is_given_back() -> None:
    """A group that fails in the same turn cancels what it has only just begun."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=30.0)
        await asyncio.sleep(29.9)
        defect = patch.object(Keeper, "_sleep_s", side_effect=RuntimeError("a defect"))
        with defect, patch("registry.health.anew.log"):  # It would be told at length.
            await asyncio.sleep(1.5 * MOST_UNDER_WAY)
            assert world.lives()
            assert _expires(world) == 0
        await asyncio.sleep(2.0)
        assert not world.lives()
