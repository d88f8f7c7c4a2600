"""Bodies: what is prebuilt, and large services that must not hold up the loop."""

import asyncio

import msgspec
import orjson
import pytest

from registry.api import bodies
from registry.api.bodies import (
    JOINED_BYTES,
    KEPT_BYTES,
    SLICE,
    Body,
    ServiceBodies,
)
from registry.api.joined import PLACE_BYTES
from registry.catalog.commands import Deregister, Drain
from registry.discovery import EVERY, HEALTHY, InstanceFilter
from registry.model import MetadataValue, ServiceId, ServiceName
from tests.support.use_cases import UseCases

LARGE = 2 * SLICE + 1
ODD = InstanceFilter(tags=("odd",))


async def _large(count: int = LARGE) -> UseCases:
    cases = UseCases()
    for port in range(1, count + 1):
        await cases.register(port=port, tags=("odd",) if port % 2 else ())
    return cases


def _bodies(cases: UseCases, max_bytes: int = bodies.CACHE_BYTES) -> ServiceBodies:
    return ServiceBodies(cases.discovery, cases.clock, max_bytes)


def _instances(body: Body) -> list[dict[str, object]]:
    assert body.size == sum(map(len, body.pieces))
    document = orjson.loads(b"".join(body.pieces))
    assert list(document) == ["service_name", "instances"]
    listed: list[dict[str, object]] = document["instances"]
    return listed


def _ports(body: Body) -> list[object]:
    return [i["port"] for i in _instances(body)]


async def test_a_body_is_built_once_per_index_and_second() -> None:
    """The hot path sends bytes; a renewal shows within a second all the same."""
    for cases in (await _large(1), await _large()):
        built = _bodies(cases)
        for wanted in (HEALTHY, EVERY):
            assert built.kept("web", wanted) is None
            body = await built.build("web", wanted)
            assert built.kept("web", wanted) is body

        cases.fake_clock.advance(1.0)
        assert built.kept("web", HEALTHY) is None
        await built.build("web", HEALTHY)
        await cases.register(port=LARGE + 1)
        assert built.kept("web", HEALTHY) is None


async def test_bodies_of_filters_and_of_unknown_services_are_not_kept() -> None:
    """Anybody can make up any number of them."""
    built = _bodies(await _large(1))
    await built.build("nobody", HEALTHY)
    await built.build("web", ODD)

    assert built.kept("nobody", HEALTHY) is None
    assert built.kept("web", ODD) is None


async def test_what_is_kept_is_bounded_in_bytes() -> None:
    """Ten thousand services asked for once must not stay in memory for ever."""
    cases = UseCases()
    for name in ("a", "b", "c"):
        await cases.register(name)
    body = await _bodies(cases).build("a", HEALTHY)
    size = KEPT_BYTES + body.size + PLACE_BYTES
    built = _bodies(cases, max_bytes=2 * size)
    for name in ("a", "b", "c"):
        await built.build(name, HEALTHY)

    assert built.kept("a", HEALTHY) is None
    assert built.kept("b", HEALTHY) is not None
    assert built.kept("c", HEALTHY) is not None


async def test_few_but_long_instances_are_not_had_at_once() -> None:
    """Neither before they are kept nor afterwards: they are more than one piece."""
    cases = UseCases()
    long: dict[str, MetadataValue] = {"a": "x" * 1_000, "b": "y" * 1_000}
    for port in range(1, SLICE):
        await cases.register(port=port, metadata=long)
    built = _bodies(cases)

    assert built.at_once("web", HEALTHY) is None
    kept = built.kept("web", HEALTHY)
    assert kept is not None
    assert kept.size > JOINED_BYTES
    assert built.at_once("web", HEALTHY) is None


@pytest.mark.parametrize("wanted", [HEALTHY, EVERY, ODD])
@pytest.mark.parametrize("count", [0, 1, SLICE, LARGE])
async def test_slices_make_the_same_list(wanted: InstanceFilter, count: int) -> None:
    """However it is put together, each instance is in it once, in the rotated order."""
    cases = await _large(count)
    ports = [p for p in range(1, count + 1) if wanted is not ODD or p % 2]
    built = _bodies(cases)
    start = cases.clock.wall_ms() // 1000
    for second in range(3):
        at = (start + second) % len(ports) if ports else 0
        expected = ports[at:] + ports[:at]
        assert _ports(await built.build("web", wanted)) == expected
        cases.fake_clock.advance(1.0)


async def test_a_small_list_is_joined_of_what_was_rendered_before() -> None:
    """Each second has its own body: who asks 10,000 services pays for a join."""
    cases = await _large(3)
    built = _bodies(cases)
    before = built.at_once("web", HEALTHY)
    (former,) = built._kept.values()
    cases.fake_clock.advance(1.0)
    after = built.at_once("web", HEALTHY)
    (kept,) = built._kept.values()

    assert before is not None
    assert after is not None
    assert before.pieces != after.pieces
    assert former.joined is not None
    assert kept.joined is not None
    assert kept.joined.places is former.joined.places
    assert {i["port"] for i in _instances(after)} == {1, 2, 3}


async def test_a_small_list_takes_from_the_former_only_what_is_still_so() -> None:
    """Who was renewed, came or left in between shows; the others as they were."""
    cases = await _large(4)
    built = _bodies(cases)
    await built.build("web", HEALTHY)

    cases.fake_clock.advance(5.0)
    await cases.registrar.heartbeat(ServiceId("id-2"), deadline_s=cases.now_s)
    await cases.register(port=5)
    _deregister(cases, "id-3")
    body = await built.build("web", HEALTHY)

    assert body == await _bodies(cases).build("web", HEALTHY)
    assert sorted(map(str, _ports(body))) == ["1", "2", "4", "5"]


async def test_the_text_of_a_small_list_is_kept_once() -> None:
    """And of a list that shrinks to a small one, from then on."""
    cases = await _large(SLICE + 1)
    built = _bodies(cases)
    large = await built.build("web", HEALTHY)
    assert built._bytes > 2 * large.size
    _deregister(cases, "id-7")
    small = await built.build("web", HEALTHY)

    assert len(_instances(small)) == SLICE
    assert built._bytes == KEPT_BYTES + small.size + SLICE * PLACE_BYTES


async def test_a_large_list_is_rendered_in_many_turns_of_the_loop() -> None:
    """What else waits for the loop, elections above all, gets its turn in between."""
    cases = await _large()
    built = _bodies(cases)
    for wanted in (HEALTHY, EVERY, ODD):
        task = asyncio.create_task(built.build("web", wanted))
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > LARGE // SLICE


async def test_what_did_not_change_is_not_rendered_again() -> None:
    """The next second's body costs the instances that were renewed, and joining."""
    cases = await _large()
    built = _bodies(cases)
    await built.build("web", EVERY)
    assert built.rendered == LARGE

    cases.fake_clock.advance(5.0)
    await cases.registrar.heartbeat(ServiceId("id-7"), deadline_s=cases.now_s)
    listed = _instances(await built.build("web", EVERY))
    assert built.rendered == LARGE + 1
    beats = {i["service_id"]: str(i["last_heartbeat"]) for i in listed}
    assert beats["id-7"] > beats["id-8"]


async def test_callers_share_what_is_under_way_if_it_shows_what_they_must_see() -> None:
    """A read after a write must see it, though a body was begun before the write."""
    cases = await _large()
    built = _bodies(cases)
    first = asyncio.create_task(built.build("web", HEALTHY))
    same = asyncio.create_task(built.build("web", HEALTHY))
    await asyncio.sleep(0)
    index = _deregister(cases, "id-501")
    later = asyncio.create_task(built.build("web", HEALTHY))
    old, shared, new = await first, await same, await later

    assert old is shared
    assert (old.index, len(_instances(old))) == (LARGE, LARGE)
    assert (new.index, len(_instances(new))) == (index, LARGE - 1)


async def test_callers_of_a_later_second_get_a_later_body() -> None:
    """Else `last_heartbeat` and the order would stand still under steady load."""
    cases = await _large()
    built = _bodies(cases)
    first = asyncio.create_task(built.build("web", HEALTHY))
    await asyncio.sleep(0)
    cases.fake_clock.advance(1.0)
    later = await built.build("web", HEALTHY)

    assert later.at_s == (await first).at_s + 1


async def test_a_list_is_of_one_moment_however_long_it_takes() -> None:
    """What leaves meanwhile is still in it."""
    cases = await _large()
    built = _bodies(cases)
    first = asyncio.create_task(built.build("web", HEALTHY))
    filtered = asyncio.create_task(built.build("web", ODD))
    await asyncio.sleep(0)
    _deregister(cases, "id-501")

    assert len(_instances(await first)) == LARGE
    assert len(_instances(await filtered)) == SLICE + 1
    assert (await first).index == (await filtered).index == LARGE


async def test_a_caller_that_goes_away_leaves_the_others_their_body() -> None:
    """Clients hang up; what is under way is everybody's."""
    built = _bodies(await _large())
    first, second, stays = [
        asyncio.create_task(built.build("web", HEALTHY)) for _ in range(3)
    ]
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()

    assert len(_instances(await stays)) == LARGE
    assert first.cancelled()
    assert second.cancelled()


def _deregister(cases: UseCases, service_id: str) -> int:
    """Apply it in this very turn, as an entry from the leader; return its index."""
    index = cases.consensus.index + 1
    command = Deregister(service_id=ServiceId(service_id), at_ms=0)
    cases.machine.apply(index << 8, msgspec.msgpack.encode(command))
    cases.machine.applied(index)
    return index


async def test_a_kept_fragment_is_not_shown_once_its_cause_or_drain_changed() -> None:
    """`?status=all` answers why: an old reason would be a wrong one."""
    cases = await _large()
    built = _bodies(cases)
    name, host = ServiceName("web"), "10.0.0.1"
    await built.build("web", EVERY)

    for number, limit_s in ((1, 60.0), (2, 90.0)):
        await cases.propose(
            Drain(
                keys=((name, host, 1),),
                reason="rack",
                at_ms=cases.clock.wall_ms(),
                limit_seconds=limit_s,
            )
        )
        body = await built.build("web", EVERY)
        (shown,) = [i for i in _instances(body) if i["port"] == 1]
        assert shown["cause"] == "drained: rack"
        assert shown["drain"] == {
            "reason": "rack",
            "since": shown["since"],
            "limit_seconds": limit_s,
        }
        assert built.rendered == LARGE + number
