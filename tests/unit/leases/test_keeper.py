"""The keeper ends what has run out, and nothing else."""

import asyncio

from registry.errors import NoLeader
from registry.health.plan import CheckSettings
from registry.leases.keeper import TIME_IS_OVER
from registry.model import Check, Status
from registry.readiness import EVICTIONS_HELD
from tests.support.virtual import virtually
from tests.unit.leases.world import KEY_80, World

CHECK = Check("tcp", "", 1.0, 1.0)


@virtually
async def test_a_lease_ends_at_its_ttl_and_not_before() -> None:
    """Within a tenth of a second."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=30.0)
        await asyncio.sleep(29.95)
        assert world.lives()
        await asyncio.sleep(0.2)
        assert not world.lives()
    gone = world.catalog.gone("id-80")
    assert gone is not None
    assert gone.cause == "lease_expired: no heartbeat for 30 s"
    assert world.observer.evictions["lease_expired"] == 1


@virtually
async def test_a_renewal_prolongs_by_a_whole_ttl() -> None:
    """Counted from the renewal."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=30.0)
        for _ in range(5):
            await asyncio.sleep(20.0)
            await world.renew(80)
        await asyncio.sleep(29.9)
        assert world.lives()
        await asyncio.sleep(0.3)
        assert not world.lives()


@virtually
async def test_a_permanent_registration_never_ends() -> None:
    """Not after hours."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=0.0)
        await asyncio.sleep(7_200.0)
        assert world.lives()
    assert world.observer.evictions == {}


@virtually
async def test_with_a_check_it_is_kept_then_ended() -> None:
    """An expired instance with a check stays known for a while."""
    world = World(settings=CheckSettings(deregister_after_s=100.0))
    async with world.leading():
        await world.register(ttl_s=30.0, check=CHECK)
        await asyncio.sleep(31.0)
        assert not world.lives()
        instance = world.catalog.instance("id-80")
        assert instance is not None
        assert instance.status is Status.UNHEALTHY
        await asyncio.sleep(98.0)
        assert world.catalog.lease("id-80") is not None
        await asyncio.sleep(2.0)
        assert world.catalog.lease("id-80") is None
    assert world.observer.evictions == {"lease_expired": 1, "deregister_after": 1}


@virtually
async def test_deregister_after_0_keeps_it_for_good() -> None:
    """The operator wants to see it until somebody deregisters it."""
    world = World(settings=CheckSettings(deregister_after_s=0.0))
    async with world.leading():
        await world.register(ttl_s=30.0, check=CHECK)
        await asyncio.sleep(7_200.0)
        assert world.catalog.lease("id-80") is not None


@virtually
async def test_a_renewal_that_gets_into_the_log_first_wins() -> None:
    """The Expire is refused, and the lease is watched with its new deadline."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=30.0)
        await asyncio.sleep(29.9)
        world.consensus.hold()
        renewal = asyncio.create_task(world.renew(80))
        await asyncio.sleep(0.5)
        assert len(world.consensus.proposed) == 3
        world.consensus.release()
        await renewal
        await asyncio.sleep(29.0)
        assert world.lives()
        await asyncio.sleep(1.3)
        assert not world.lives()


@virtually
async def test_without_a_leader_it_tries_again() -> None:
    """Nothing is lost by a failed proposal."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=30.0)
        world.consensus.refuses = NoLeader
        await asyncio.sleep(40.0)
        assert world.lives()
        world.consensus.refuses = None
        await asyncio.sleep(0.5)
        assert not world.lives()


@virtually
async def test_a_drain_ends_at_its_limit() -> None:
    """And one without a limit does not."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=0.0)
        await world.drain(limit_s=60.0)
        await asyncio.sleep(59.5)
        assert world.catalog.drain(KEY_80) is not None
        await asyncio.sleep(1.0)
        assert world.catalog.drain(KEY_80) is None
        assert world.catalog.history("web")[-1].cause == TIME_IS_OVER
        await world.drain(limit_s=0.0)
        await asyncio.sleep(600.0)
        assert world.catalog.drain(KEY_80) is not None


@virtually
async def test_many_at_once_are_held_for_one_more_ttl_at_most() -> None:
    """It speaks for a broken path; but not for ever."""
    world = World()
    async with world.leading():
        for port in range(80, 90):
            await world.register(port, ttl_s=30.0)
        await asyncio.sleep(31.0)
        assert world.keeper.troubles() == (EVICTIONS_HELD,)
        assert world.keeper.counters()["registry_evictions_held"] == 1.0
        await asyncio.sleep(28.0)
        assert all(map(world.lives, range(80, 90)))
        await asyncio.sleep(3.0)
        assert not any(map(world.lives, range(80, 90)))
        assert world.keeper.troubles() == ()
    assert world.observer.holds == 1


@virtually
async def test_a_hold_ends_when_the_heartbeats_are_back() -> None:
    """What did not come back goes then."""
    world = World()
    async with world.leading():
        for port in range(80, 90):
            await world.register(port, ttl_s=30.0)
        await asyncio.sleep(32.0)
        assert world.keeper.troubles() == (EVICTIONS_HELD,)
        await world.renew(*range(80, 88))
        await asyncio.sleep(1.5)
        assert world.keeper.troubles() == ()
        assert [world.lives(p) for p in range(80, 90)] == [True] * 8 + [False] * 2


@virtually
async def test_what_is_gone_is_forgotten_after_a_day() -> None:
    """In lease time."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=30.0)
        await asyncio.sleep(31.0)
        await world.register(81, ttl_s=0.0)
        assert world.catalog.gone_count == 1
        # A day passes at once: the clock is told of it span by span.
        now_s = world.clock.now_s()
        for _ in range(5 * 86_400 + 700):
            now_s += 0.2
            world.lease_clock.observe(now_s, able=True)
        await asyncio.sleep(61.0)
        assert world.catalog.gone_count == 0


@virtually
async def test_a_new_run_finds_everything_again() -> None:
    """Of a replica that lost its lead and has it again."""
    world = World()
    async with world.leading():
        await world.register(80, ttl_s=30.0)
        await asyncio.sleep(5.0)
    assert world.keeper.counters()["registry_leases"] == 0.0
    await world.register(81, ttl_s=30.0)
    async with world.leading():
        assert world.keeper.counters()["registry_leases"] == 2.0
        await asyncio.sleep(31.0)
        assert not world.lives(80)
        assert not world.lives(81)


@virtually
async def test_while_lease_time_stands_nothing_ends() -> None:
    """The loop stood still, or nobody could renew."""
    world = World()
    async with world.leading():
        await world.register(ttl_s=30.0)
        world.runs = False
        await asyncio.sleep(600.0)
        assert world.lives()
        world.runs = True
        await asyncio.sleep(29.0)
        assert world.lives()
        await asyncio.sleep(1.5)
        assert not world.lives()


@virtually
async def test_what_left_is_not_watched_until_its_lease_would_end() -> None:
    """Else a month of deregistered leases would be watched, and count as alive."""
    world = World()
    async with world.leading():
        for port in range(80, 90):
            await world.register(port, ttl_s=86_400.0)
        await asyncio.sleep(0.1)
        assert world.keeper.counters()["registry_leases"] == 10
        for port in range(81, 90):
            await world.deregister(port)
        await asyncio.sleep(0.1)
        assert world.keeper.counters()["registry_leases"] == 1
