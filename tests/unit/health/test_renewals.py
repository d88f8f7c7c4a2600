"""Passing checks are proofs of life: in the log as seldom as is safe."""

import asyncio

from registry.errors import NoLeader
from registry.model import Check
from tests.support.virtual import virtually
from tests.unit.health.world import BROKEN, World


@virtually
async def test_passing_checks_renew_the_lease_once_per_third() -> None:
    """The seed's Rust client never sends a heartbeat; its check is its life."""
    world = World()
    await world.register(check=Check("tcp", "", 10.0), ttl_seconds=300.0)
    async with world.leading():
        await asyncio.sleep(905.0)

    assert len(world.prober.times(80)) == 91
    assert world.commands("renew") == 11
    assert world.instance().last_heartbeat_ms > world.clock.wall_ms() - 100_000


@virtually
async def test_the_last_success_is_in_the_log_once_a_check_fails() -> None:
    """A lease counts from the last proof of life, not from the last one logged."""
    world = World()
    await world.register(check=Check("tcp", "", 10.0), ttl_seconds=300.0)
    async with world.leading():
        await asyncio.sleep(85.0)
        before = world.commands("renew")
        world.prober.answers[80] = BROKEN
        await asyncio.sleep(6.0)

    assert world.commands("renew") == before + 1


@virtually
async def test_many_renewals_share_commands() -> None:
    """Ten thousand leases must not be ten thousand entries."""
    world = World(random=lambda: 0.0)
    async with world.leading():
        for port in range(500):
            await world.register(port)
        await asyncio.sleep(2.0)

    assert world.commands("renew") == 3


@virtually
async def test_a_renewal_that_fails_is_made_up_for_by_the_next_check() -> None:
    """A lost proof of life must not cost a third of the lease."""
    world = World()
    await world.register(check=Check("tcp", "", 10.0), ttl_seconds=300.0)
    async with world.leading():
        world.consensus.refuses = NoLeader
        await asyncio.sleep(5.0)
        world.consensus.refuses = None
        before = world.commands("renew")
        await asyncio.sleep(6.0)

    assert world.commands("renew") == before + 1


@virtually
async def test_a_permanent_registration_is_not_renewed() -> None:
    """It has no lease that could end."""
    world = World()
    await world.register(ttl_seconds=0.0)
    async with world.leading():
        await asyncio.sleep(200.0)

    assert world.commands("renew") == 0
