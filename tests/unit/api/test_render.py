"""Bodies: the seed's fields first, rotation, and what is prebuilt."""

import orjson

from registry.api import render
from registry.discovery import HEALTHY, InstanceFilter
from registry.model import Status
from tests.support.fake_clock import START_WALL_MS
from tests.support.use_cases import UseCases

SECOND_MS = 1000


async def test_an_instance_has_the_seeds_fields_first_and_no_empty_ones() -> None:
    """Old clients and people read the first five."""
    cases = UseCases()
    await cases.register()

    body = render.service_body(cases.discovery.service("web", HEALTHY), START_WALL_MS)

    assert body == (
        b'{"service_name":"web","instances":[{"service_id":"id-1","host":"10.0.0.1",'
        b'"port":80,"status":"healthy","last_heartbeat":"2026-01-22T23:54:00Z",'
        b'"weight":1,"registered_at":"2026-01-22T23:54:00Z","generation":256}]}'
    )


async def test_the_order_rotates_with_each_second() -> None:
    """Clients that take the first instance spread over all of them."""
    cases = UseCases()
    for port in (1, 2, 3):
        await cases.register(port=port)
    answer = cases.discovery.service("web", HEALTHY)

    firsts = [
        orjson.loads(render.service_body(answer, second * SECOND_MS))["instances"][0]
        for second in range(6)
    ]

    assert [i["port"] for i in firsts] == [1, 2, 3, 1, 2, 3]


async def test_a_body_is_built_once_per_index_and_second() -> None:
    """The hot path sends bytes; a renewal shows within a second all the same."""
    cases = UseCases()
    await cases.register()
    bodies = render.ServiceBodies()
    answer = cases.discovery.service("web", HEALTHY)

    assert bodies.get("web", answer.index, START_WALL_MS) is None
    body = bodies.build(answer, START_WALL_MS)

    assert bodies.get("web", answer.index, START_WALL_MS + 999) is body
    assert bodies.get("web", answer.index, START_WALL_MS + SECOND_MS) is None
    assert bodies.get("web", answer.index + 1, START_WALL_MS) is None


async def test_bodies_of_unknown_services_are_not_kept() -> None:
    """Anybody can make up any number of names."""
    cases = UseCases()
    bodies = render.ServiceBodies()

    bodies.build(cases.discovery.service("nobody", HEALTHY), START_WALL_MS)

    assert bodies.get("nobody", 0, START_WALL_MS) is None


async def test_bodies_held_are_bounded_in_bytes() -> None:
    """Ten thousand services asked for once must not stay in memory for ever."""
    cases = UseCases()
    for name in ("a", "b"):
        await cases.register(name)
    size = len(_body(cases, "a"))
    bodies = render.ServiceBodies(max_bytes=size)

    for name in ("a", "b"):
        bodies.build(cases.discovery.service(name, HEALTHY), START_WALL_MS)

    assert bodies.get("a", 1, START_WALL_MS) is None
    assert bodies.get("b", 2, START_WALL_MS) is not None


async def test_status_is_rendered_by_its_name() -> None:
    """The seed's words."""
    cases = UseCases()
    await cases.report(await cases.register(), Status.UNHEALTHY)

    answer = cases.discovery.service("web", InstanceFilter(status=None))

    assert b'"status":"unhealthy"' in render.service_body(answer, START_WALL_MS)


def _body(cases: UseCases, name: str) -> bytes:
    return render.service_body(cases.discovery.service(name, HEALTHY), START_WALL_MS)
