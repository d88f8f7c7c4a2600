"""Who is asked: what its probes say, and when it had better say nothing."""

import asyncio

from registry.catalog.commands import Suspect, Suspicion
from registry.errors import NoLeader
from registry.model import ServiceId, Status
from registry.ports import ProbeResult
from tests.support.virtual import virtually
from tests.unit.health.world import REFUSED, World

HEALTHY, UNHEALTHY = Status.HEALTHY, Status.UNHEALTHY
OURS = ProbeResult(passed=False, cause="no descriptor left", is_ours=True)
DOWN = (UNHEALTHY, "check_failed: connect refused (3 of 3)")


def _world(*others: str) -> World:
    return World(others=others)


def _refused_by(world: World, *names: str, port: int = 80) -> None:
    for name in names:
        prober = world.prober if name == "a" else world.probers[name]
        prober.answers[port] = REFUSED


@virtually
async def test_whoever_is_asked_and_cannot_probe_has_no_vote() -> None:
    """Stopped for a while, or out of descriptors: it knows nothing."""
    world = _world("b", "c")
    await world.register()
    _refused_by(world, "a")
    world.probers["b"].answers[80] = OURS
    async with world.leading():
        await asyncio.sleep(12.0)

    assert world.shown() == (HEALTHY, "unreachable from a only: connect refused")
    assert world.observer.opinions["agreed"] == 0


async def _suspect(world: World, *, replica: str = "a", generation: int) -> None:
    item = Suspicion(ServiceId("id-80"), generation)
    await world.propose(Suspect(items=(item,), replica=replica, at_ms=0))


@virtually
async def test_only_the_present_leader_is_answered() -> None:
    """A replay of last week's log holds thousands of questions."""
    world = _world("b")
    await world.register()
    generation = world.consensus.index << 8
    async with world.leading():
        await _suspect(world, replica="z", generation=generation)
        await asyncio.sleep(1.0)
        assert world.probers["b"].asked == []
        await _suspect(world, generation=generation)
        await asyncio.sleep(1.0)

    assert len(world.probers["b"].asked) == 1
    assert world.observer.opinions["given"] == 1


@virtually
async def test_a_question_about_a_former_registration_is_not_answered() -> None:
    """I5: the answer would be about another one."""
    world = _world("b")
    await world.register()
    async with world.leading():
        await _suspect(world, generation=12345)
        await asyncio.sleep(1.0)

    assert world.probers["b"].asked == []


@virtually
async def test_a_target_that_hangs_does_not_hold_up_other_answers() -> None:
    """The refused ones are known in milliseconds."""
    world = _world("b", "c")
    for prober in world.probers.values():
        prober.delays_s[81] = 5.0
    async with world.leading():
        for port in (80, 81):
            _refused_by(world, "a", "b", "c", port=port)
            await world.register(port)
        await asyncio.sleep(2.5)
        assert world.shown(80) == DOWN
        assert world.shown(81)[0] is HEALTHY
        await asyncio.sleep(5.0)

    assert world.shown(81) == DOWN


@virtually
async def test_a_defect_while_answering_is_logged_and_answering_begins_anew() -> None:
    """It is a background task of every replica: it must not end one, nor end."""
    world = _world("b")
    await world.register()
    generation = world.consensus.index << 8
    async with world.leading():
        await _suspect(world, generation=generation)
        world.consensus.breaks = ValueError("a defect")
        await asyncio.sleep(2.0)
        world.consensus.breaks = None
        await _suspect(world, generation=generation)
        await asyncio.sleep(1.0)

    assert world.observer.opinions["given"] == 1


@virtually
async def test_an_opinion_that_cannot_be_given_harms_nobody() -> None:
    """It counts as no answer."""
    world = _world("b")
    await world.register()
    generation = world.consensus.index << 8
    async with world.leading():
        await _suspect(world, generation=generation)
        world.consensus.refuses = NoLeader
        await asyncio.sleep(1.0)
        world.consensus.refuses = None
        await _suspect(world, generation=generation)
        await asyncio.sleep(1.0)

    assert world.observer.opinions["given"] == 1
