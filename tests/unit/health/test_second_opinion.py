"""Is it the service, or the leader's own network? The others are asked."""

import asyncio

from registry.catalog.commands import Opinion, Suspect, Suspicion, Verdict
from registry.errors import NoLeader
from registry.health.plan import CheckSettings
from registry.model import Check, ServiceId, Status
from registry.ports import ProbeResult
from tests.support.virtual import virtually
from tests.unit.health.world import PASSED, REFUSED, World

HEALTHY, UNHEALTHY = Status.HEALTHY, Status.UNHEALTHY
DOWN = (UNHEALTHY, "check_failed: connect refused (3 of 3)")


def _world(*others: str, settings: CheckSettings | None = None) -> World:
    return World(others=others, settings=settings)


def _refused_by(world: World, *names: str, port: int = 80) -> None:
    for name in names:
        prober = world.prober if name == "a" else world.probers[name]
        prober.answers[port] = REFUSED


@virtually
async def test_what_nobody_reaches_turns_unhealthy_at_once() -> None:
    """The others refuse in milliseconds, so asking costs no time."""
    world = _world("b", "c")
    await world.register()
    _refused_by(world, "a", "b", "c")
    async with world.leading():
        await asyncio.sleep(2.5)

    assert world.shown() == DOWN
    assert world.observer.opinions["agreed"] >= 1
    assert world.prober.times(80) == [0.0, 1.0, 2.0]


@virtually
async def test_what_only_the_leader_cannot_reach_stays_healthy() -> None:
    """The leader's network is never taken for the service's death; `why` names it."""
    world = _world("b", "c")
    await world.register()
    _refused_by(world, "a")
    async with world.leading():
        await asyncio.sleep(2.5)
        assert world.shown() == (HEALTHY, "unreachable from a only: connect refused")
        transitions = world.commands("set_status")
        await asyncio.sleep(600.0)
        assert world.commands("set_status") == transitions
        assert world.shown() == (HEALTHY, "unreachable from a only: connect refused")
        world.prober.answers[80] = PASSED
        await asyncio.sleep(60.0)

    assert world.shown() == (HEALTHY, "check_passed")
    assert world.commands("set_status") == transitions + 1
    assert world.observer.opinions["disagreed"] >= 2


@virtually
async def test_an_opinion_that_it_lives_is_a_proof_of_life() -> None:
    """A lease by checks alone must not end because the leader is cut off."""
    world = _world("b", "c")
    await world.register(ttl_seconds=10.0)
    _refused_by(world, "a")
    async with world.leading():
        await asyncio.sleep(600.0)
        heartbeat_ms = world.instance().last_heartbeat_ms

        assert heartbeat_ms > world.clock.wall_ms() - 65_000


@virtually
async def test_a_minority_that_cannot_reach_it_is_named() -> None:
    """Two of five sit behind the same broken switch."""
    world = _world("b", "c", "d", "e")
    await world.register()
    _refused_by(world, "a", "d")
    world.probers["b"].delays_s[80] = 0.1
    world.probers["c"].delays_s[80] = 0.1
    world.probers["e"].delays_s[80] = 0.1
    async with world.leading():
        await asyncio.sleep(3.0)

    assert world.shown() == (HEALTHY, "unreachable from a, d: connect refused")


@virtually
async def test_a_split_vote_lets_it_stay() -> None:
    """More than half must say that it is dead."""
    world = _world("b")
    await world.register()
    _refused_by(world, "a")
    async with world.leading():
        await asyncio.sleep(3.0)

    assert world.shown()[0] is HEALTHY


@virtually
async def test_who_does_not_answer_in_time_has_no_vote() -> None:
    """A replica that hangs must not keep a dead service listed."""
    world = _world("b", "c")
    await world.register()
    _refused_by(world, "a", "c")
    world.machine.listeners.remove(world.givers["b"])
    async with world.leading():
        await asyncio.sleep(2.0 + 0.5)

        assert world.shown() == DOWN


@virtually
async def test_a_leader_that_nobody_answers_condemns_nobody() -> None:
    """It may be cut off from all the world; what is really dead ends with its lease."""
    world = _world("b")
    await world.register()
    _refused_by(world, "a", "b")
    world.machine.listeners.remove(world.givers["b"])
    async with world.leading():
        await asyncio.sleep(30.0)

        assert world.shown()[0] is HEALTHY


OURS = ProbeResult(passed=False, cause="no descriptor left", is_ours=True)


@virtually
async def test_a_leader_that_cannot_probe_has_no_vote() -> None:
    """One of two others that fails is no majority; both are."""
    for failing, status in ((("b",), HEALTHY), (("b", "c"), UNHEALTHY)):
        world = _world("b", "c", settings=CheckSettings(interval_s=5.0, timeout_s=1.0))
        await world.register(ttl_seconds=10.0)
        async with world.leading():
            await asyncio.sleep(6.0)
            world.prober.answers[80] = OURS
            _refused_by(world, *failing)
            await asyncio.sleep(60.0)

        assert world.shown()[0] is status
        assert not world.shown()[1].startswith("unreachable from")


@virtually
async def test_what_the_leader_cannot_probe_lives_by_the_others() -> None:
    """Their probes are its proofs of life."""
    world = _world("b", "c", settings=CheckSettings(interval_s=5.0, timeout_s=1.0))
    await world.register(ttl_seconds=10.0)
    world.prober.answers[80] = OURS
    async with world.leading():
        renewed_s = []
        for _ in range(60):
            await asyncio.sleep(1.0)
            lease = world.machine.catalog.lease("id-80")
            assert lease is not None
            renewed_s.append(lease.renewed_at)

    lasts_s = 3 * 5.0 + 2 * 1.0 + 3.0
    assert len(set(renewed_s)) >= 60 / lasts_s
    assert world.shown()[0] is HEALTHY


@virtually
async def test_a_success_withdraws_the_question() -> None:
    """It was about to be judged by probes that are past."""
    world = _world("b")
    await world.register(check=Check(path="/", failures=1, interval_seconds=3.0))
    _refused_by(world, "a", "b")
    world.probers["b"].delays_s[80] = 3.5
    async with world.leading():
        await asyncio.sleep(1.0)
        world.prober.answers[80] = PASSED
        await asyncio.sleep(10.0)

    assert world.shown() == (HEALTHY, "registered")


@virtually
async def test_a_question_that_is_not_taken_is_put_again() -> None:
    """Without a quorum nothing is decided, and nothing forgotten."""
    world = _world("b")
    await world.register()
    _refused_by(world, "a", "b")
    async with world.leading():
        world.consensus.refuses = NoLeader
        await asyncio.sleep(10.0)
        assert world.shown()[0] is HEALTHY
        world.consensus.refuses = None
        await asyncio.sleep(2.0)

    assert world.shown() == DOWN


@virtually
async def test_many_suspects_share_commands_both_ways() -> None:
    """A rack that dies must not flood the log."""
    world = _world("b", "c")
    async with world.leading():
        for port in range(300):
            _refused_by(world, "a", "b", "c", port=port)
            await world.register(port)
        await asyncio.sleep(10.0)

    assert {world.shown(port) for port in range(300)} == {DOWN}
    assert world.commands("suspect") <= 8
    assert world.commands("opinion") <= 16


@virtually
async def test_an_answer_is_counted_once_and_from_members_alone() -> None:
    """One replica has one vote, however often it is heard."""
    world = _world("b", "c")
    await world.register()
    _refused_by(world, "a")
    for giver in world.givers.values():
        world.machine.listeners.remove(giver)
    async with world.leading():
        await asyncio.sleep(2.1)
        position = world.consensus.index << 8
        for replica in ("b", "b", "x", "x"):
            await world.propose(
                Opinion(
                    items=(Verdict(ServiceId("id-80"), 1 << 8, True, "200"),),
                    replica=replica,
                    suspect=position,
                    at_ms=0,
                )
            )
        await asyncio.sleep(8.0)

    assert world.observer.opinions == {"disagreed": 1}
    assert world.shown() == (HEALTHY, "unreachable from a only: connect refused")


async def _suspect(world: World, *, replica: str = "a", generation: int) -> None:
    item = Suspicion(ServiceId("id-80"), generation)
    await world.propose(Suspect(items=(item,), replica=replica, at_ms=0))
