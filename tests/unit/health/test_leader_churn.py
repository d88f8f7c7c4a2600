"""Leaders that change often let nothing expire that passes its checks."""

import asyncio
from random import Random

import pytest

from registry.health.plan import CheckSettings
from tests.support.virtual import virtually
from tests.unit.health.world import World


@pytest.mark.parametrize("each_s", [10.0, 20.0])
def test_nobody_is_passed_over_by_one_leader_after_the_other(each_s: float) -> None:
    """Each leads for less than an interval, and begins with the oldest proof."""
    settings = CheckSettings()
    lease_s = settings.failures * settings.interval_s + 2 * settings.timeout_s + 3.0

    @virtually
    async def churn() -> None:
        world = World(settings=settings, random=Random(7).random)
        ports = range(1000, 1200)
        for port in ports:
            await world.register(port, ttl_seconds=30.0)
        renewed_s = dict.fromkeys(ports, world.clock.now_s())
        renewed_at: dict[int, int] = {}
        longest_s = 0.0
        while world.clock.now_s() < 600.0:
            async with world.leading():
                await asyncio.sleep(each_s)
            for port in ports:
                lease = world.machine.catalog.lease(f"id-{port}")
                assert lease is not None
                if renewed_at.get(port) != lease.renewed_at:
                    renewed_at[port] = lease.renewed_at
                    renewed_s[port] = world.clock.now_s()
            oldest_s = min(renewed_s.values())
            longest_s = max(longest_s, world.clock.now_s() - oldest_s)
        assert longest_s < lease_s - each_s

    churn()
