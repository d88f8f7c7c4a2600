"""A drain that is laid anew while the former one is being ended stays."""

import asyncio

import msgspec
import pytest

from registry.catalog.commands import Drain, needing
from registry.errors import NoLeader
from tests.support.virtual import virtually
from tests.unit.leases.world import KEY_80, World


def _drain_elsewhere(world: World, limit_s: float) -> None:
    """Apply a Drain that another replica has proposed, while our own hang."""
    index = world.consensus.skip()
    drain = Drain(keys=(KEY_80,), reason="new", at_ms=0, limit_seconds=limit_s)
    drain = msgspec.structs.replace(drain, schema=needing(drain))
    world.machine.apply(index << 8, msgspec.msgpack.encode(drain))
    world.machine.applied(index)
    world.stamps.note(index, world.lease_clock.read(world.clock.now_s()))


@pytest.mark.parametrize("limit_s", [3600.0, 0.0])
def test_a_drain_laid_anew_is_not_ended_by_the_limit_of_the_former_one(
    limit_s: float,
) -> None:
    """The Undrain hung, then failed: what it was about is gone."""

    @virtually
    async def lay_anew() -> None:
        world = World()
        async with world.leading():
            await world.register(ttl_s=0.0)
            await world.drain(limit_s=10.0)
            await asyncio.sleep(9.9)
            world.consensus.hold()
            await asyncio.sleep(0.5)
            _drain_elsewhere(world, limit_s)
            await asyncio.sleep(0.1)
            world.consensus.refuses = NoLeader
            world.consensus.release()
            await asyncio.sleep(0.01)
            world.consensus.refuses = None
            await asyncio.sleep(1.0)
            assert world.catalog.drain(KEY_80) is not None

    lay_anew()
