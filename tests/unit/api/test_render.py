"""Bodies: the seed's fields first, and rotation."""

import orjson

from registry.api import render
from registry.discovery import HEALTHY, InstanceFilter
from registry.model import Status
from tests.support.fake_clock import START_WALL_MS
from tests.support.use_cases import UseCases

AT_S = START_WALL_MS // 1000


async def test_an_instance_has_the_seeds_fields_first_and_no_empty_ones() -> None:
    """Old clients and people read the first five."""
    cases = UseCases()
    await cases.register()

    body = render.service_body(cases.discovery.service("web", HEALTHY), AT_S)

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
        orjson.loads(render.service_body(answer, second))["instances"][0]
        for second in range(6)
    ]

    assert [i["port"] for i in firsts] == [1, 2, 3, 1, 2, 3]


async def test_status_is_rendered_by_its_name() -> None:
    """The seed's words."""
    cases = UseCases()
    await cases.report(await cases.register(), Status.UNHEALTHY)

    answer = cases.discovery.service("web", InstanceFilter(status=None))

    assert b'"status":"unhealthy"' in render.service_body(answer, AT_S)


async def test_every_status_is_told_with_its_cause_and_since_when() -> None:
    """The reason stands behind the other fields, whose order old clients know."""
    cases = UseCases()
    service_id = await cases.register()
    cases.fake_clock.advance(60.0)
    await cases.report(service_id, Status.UNHEALTHY)
    instance = cases.machine.catalog.instance(service_id)
    assert instance is not None

    fields = render.detailed_fields(instance, None)

    assert list(fields)[-2:] == ["cause", "since"]
    assert fields["cause"] == "reported unhealthy by heartbeat"
    assert fields["since"] == "2026-01-22T23:55:00Z"
