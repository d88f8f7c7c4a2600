"""The monitor: from the catalog's changes to probes, and from probes to commands."""

import asyncio
import itertools

from registry.catalog.commands import SetStatus
from registry.errors import NoLeader
from registry.health.plan import CheckSettings
from registry.model import Check, ServiceId, Status
from tests.support.virtual import virtually
from tests.unit.health.world import BROKEN, PASSED, REFUSED, World

HEALTHY, UNHEALTHY, STARTING = Status.HEALTHY, Status.UNHEALTHY, Status.STARTING


@virtually
async def test_a_new_registration_is_probed_at_once() -> None:
    """What does not answer should not be listed for an interval."""
    world = World()
    async with world.leading():
        await asyncio.sleep(10.0)
        await world.register()
        await asyncio.sleep(1.0)

    assert world.prober.times(80)[0] == 10.0


@virtually
async def test_a_starting_one_is_listed_with_its_first_success() -> None:
    """Within a second of being up."""
    world = World()
    world.prober.answers[80] = REFUSED
    async with world.leading():
        await world.register(status=STARTING, check=Check(path="/", failures=100))
        await asyncio.sleep(5.5)
        assert world.shown() == (STARTING, "registered")
        world.prober.answers[80] = PASSED
        await asyncio.sleep(1.0)

    assert world.shown() == (HEALTHY, "check_passed")


@virtually
async def test_a_killed_service_is_unhealthy_within_an_interval_and_3_s() -> None:
    """The figure that the issue promises: refused is asked again each second."""
    world = World()
    await world.register()
    async with world.leading():
        await asyncio.sleep(100.0)
        world.prober.answers[80] = REFUSED
        await asyncio.sleep(33.0)

    assert world.shown() == (UNHEALTHY, "check_failed: connect refused (3 of 3)")
    assert world.commands("suspect") == 0


@virtually
async def test_it_comes_back_when_it_passes() -> None:
    """By the back-off: it was gone for a moment, so it is back in a moment."""
    world = World()
    world.prober.answers[80] = REFUSED
    async with world.leading():
        await world.register()
        await asyncio.sleep(4.0)
        assert world.shown()[0] is UNHEALTHY
        world.prober.answers[80] = PASSED
        await asyncio.sleep(1.5)

    assert world.shown() == (HEALTHY, "check_passed")


@virtually
async def test_a_leader_change_restarts_counts_and_resets_no_status() -> None:
    """Two failures here and one there are not three in a row."""
    world = World()
    await world.register(80)
    await world.register(81)
    world.prober.answers[80] = BROKEN
    world.prober.answers[81] = BROKEN
    async with world.leading():
        await asyncio.sleep(31.0)
    async with world.leading():
        await asyncio.sleep(31.0)

    assert world.shown(80) == (HEALTHY, "registered")
    assert len(world.prober.times(80)) == 4


@virtually
async def test_after_a_leader_change_the_checks_are_spread_over_one_interval() -> None:
    """All at once would be a burst for us and for shared hosts."""
    world = World(random=lambda: 0.5)
    for port in range(100):
        await world.register(port)
    async with world.leading():
        await asyncio.sleep(30.0)

    firsts = sorted(world.prober.times(port)[0] for port in range(100))
    assert firsts[-1] < 30.0
    assert max(b - a for a, b in itertools.pairwise(firsts)) < 0.5


@virtually
async def test_what_registers_at_once_is_spread_by_its_first_success() -> None:
    """Else a thousand that came with one deployment are probed together for ever."""
    steps = itertools.count()
    world = World(random=lambda: next(steps) % 100 / 100)
    async with world.leading():
        for port in range(100):
            await world.register(port)
        await asyncio.sleep(31.0)

    seconds = [world.prober.times(port)[1] for port in range(100)]
    assert len(set(seconds)) > 80


@virtually
async def test_a_transition_that_fails_is_wanted_again_soon() -> None:
    """No leader for a while: the transition comes late, not never."""
    world = World()
    await world.register()
    world.prober.answers[80] = REFUSED
    async with world.leading():
        world.consensus.refuses = NoLeader
        await asyncio.sleep(40.0)
        assert world.shown() == (HEALTHY, "registered")
        world.consensus.refuses = None
        await asyncio.sleep(2.0)

    assert world.shown()[0] is UNHEALTHY


@virtually
async def test_while_a_transition_hangs_no_second_one_is_proposed() -> None:
    """One for each instance is the bound of what waits."""
    world = World()
    await world.register()
    world.prober.answers[80] = REFUSED
    async with world.leading():
        world.consensus.hold()
        await asyncio.sleep(200.0)
        assert world.commands("set_status") == 1
        world.consensus.release()
        await asyncio.sleep(1.0)

    assert world.shown()[0] is UNHEALTHY


@virtually
async def test_what_expired_comes_back_by_passing() -> None:
    """It is kept for its check; until then it is looked at ever more seldom."""
    world = World()
    world.prober.answers[80] = REFUSED
    async with world.leading():
        await world.register()
        await asyncio.sleep(60.0)
        await world.expire()
        assert world.shown()[1].startswith("lease_expired")
        await asyncio.sleep(1000.0)
        world.prober.asked.clear()
        await asyncio.sleep(900.0)
        assert len(world.prober.asked) == 3
        assert world.commands("renew") == 0
        world.prober.answers[80] = PASSED
        await asyncio.sleep(310.0)

    assert world.shown() == (HEALTHY, "check_passed")
    lease = world.machine.catalog.lease("id-80")
    assert lease is not None
    assert not lease.expired


@virtually
async def test_what_is_gone_is_probed_no_more() -> None:
    """Deregistering is the last word."""
    world = World()
    async with world.leading():
        await world.register()
        await asyncio.sleep(1.0)
        await world.deregister()
        world.prober.asked.clear()
        await asyncio.sleep(100.0)
        scheduled = world.monitor.counters()["registry_health_checks_scheduled"]

    assert world.prober.asked == []
    assert scheduled == 0


@virtually
async def test_registering_anew_restarts_the_count_and_probes_at_once() -> None:
    """It asserts that it is up: three failures of its own are needed."""
    world = World()
    world.prober.answers[80] = BROKEN
    async with world.leading():
        await world.register()
        await asyncio.sleep(1.5)
        await world.register()
        await asyncio.sleep(1.5)
        assert world.shown() == (HEALTHY, "registered")
        await asyncio.sleep(1.0)

    assert world.shown()[0] is UNHEALTHY


@virtually
async def test_a_service_that_says_it_is_unhealthy_is_believed() -> None:
    """Its health endpoint answering is no contradiction; it says so when it is well."""
    world = World()
    cause = "reported unhealthy by heartbeat: queue full"
    async with world.leading():
        await world.register()
        await asyncio.sleep(1.0)
        await _report(world, UNHEALTHY, cause)
        await asyncio.sleep(200.0)
        assert world.shown() == (UNHEALTHY, cause)
        await _report(world, HEALTHY, "reported healthy by heartbeat")
        await asyncio.sleep(100.0)

    assert world.shown()[0] is HEALTHY


async def _report(world: World, status: Status, cause: str) -> None:
    lease = world.machine.catalog.lease("id-80")
    assert lease is not None
    await world.propose(
        SetStatus(
            service_id=ServiceId("id-80"),
            generation=lease.registration.generation,
            status=status,
            cause=cause,
            at_ms=world.clock.wall_ms(),
        )
    )


@virtually
async def test_a_flapping_service_is_held_and_its_cause_says_so() -> None:
    """Said once, not with each probe."""
    world = World(settings=CheckSettings(interval_s=10.0, failures=1))
    async with world.leading():
        await world.register()
        await asyncio.sleep(1.0)
        for _ in range(3):
            world.prober.answers[80] = REFUSED
            await _until(world, UNHEALTHY)
            world.prober.answers[80] = PASSED
            await asyncio.sleep(2.0)
        assert world.shown() == (
            UNHEALTHY,
            "flapping: 5 changes in 50 s; must pass for 10 s",
        )
        transitions = world.commands("set_status")
        await asyncio.sleep(7.0)
        assert world.commands("set_status") == transitions
        await asyncio.sleep(4.0)

    assert world.shown() == (HEALTHY, "check_passed")


async def _until(world: World, status: Status) -> None:
    while world.shown()[0] is not status:
        await asyncio.sleep(0.25)


@virtually
async def test_a_defect_is_logged_and_the_duty_begins_anew() -> None:
    """A dead duty is worse than a dead replica."""
    world = World()
    await world.register()
    async with world.leading():
        world.observer.breaks = ValueError("a defect")
        await asyncio.sleep(1.0)
        world.observer.breaks = None
        await asyncio.sleep(40.0)

    assert world.observer.checks[True] >= 1


@virtually
async def test_without_a_leadership_nothing_is_noted() -> None:
    """A follower hears everything for weeks."""
    world = World()
    await world.register()

    assert set(world.monitor.counters().values()) == {0.0}


@virtually
async def test_checks_are_counted_by_their_result() -> None:
    """The seed's two counters."""
    world = World(settings=CheckSettings(failures=100))
    await world.register(80)
    await world.register(81)
    world.prober.answers[81] = BROKEN
    async with world.leading():
        await asyncio.sleep(80.0)

    assert world.observer.checks == {True: 3, False: 3}
