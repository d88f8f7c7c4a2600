"""Which instances and services a read lists."""

from registry.discovery import HEALTHY, InstanceFilter
from registry.model import Status
from tests.support.use_cases import UseCases

ALL = InstanceFilter(status=None)


async def test_only_healthy_instances_are_listed_by_default() -> None:
    """The seed: service-registry returns healthy instances."""
    cases = UseCases()
    await cases.register(port=1)
    sick = await cases.register(port=2)
    await cases.report(sick, Status.UNHEALTHY)

    assert _ports(cases, HEALTHY) == [1]
    assert _ports(cases, ALL) == [1, 2]
    assert _ports(cases, InstanceFilter(status=Status.UNHEALTHY)) == [2]


async def test_every_tag_must_match() -> None:
    """Each further tag narrows the choice."""
    cases = UseCases()
    await cases.register(port=1, tags=("blue", "fast"))
    await cases.register(port=2, tags=("blue",))

    assert _ports(cases, InstanceFilter(tags=("blue",))) == [1, 2]
    assert _ports(cases, InstanceFilter(tags=("blue", "fast"))) == [1]


async def test_zone_matches_exactly() -> None:
    """A zone is a name, not a prefix; asking for the empty one finds those without."""
    cases = UseCases()
    await cases.register(port=1, zone="eu-1")
    await cases.register(port=2)

    assert _ports(cases, InstanceFilter(zone="eu-1")) == [1]
    assert _ports(cases, InstanceFilter(zone="eu")) == []
    assert _ports(cases, InstanceFilter(zone="")) == [2]


async def test_metadata_matches_as_json_writes_it() -> None:
    """In a query everything is text, so numbers and booleans are compared as text."""
    cases = UseCases()
    await cases.register(
        port=1,
        metadata={"gpu": True, "cores": 8, "disk": "ssd", "load": 1e16, "low": 1e-7},
    )

    for pair in (
        ("gpu", "true"),
        ("cores", "8"),
        ("disk", "ssd"),
        ("load", "1e+16"),
        ("low", "1e-7"),
    ):
        assert _ports(cases, InstanceFilter(metadata=(pair,))) == [1]
    for pair in (("gpu", "1"), ("cores", "9"), ("none", "")):
        assert _ports(cases, InstanceFilter(metadata=(pair,))) == []


async def test_an_unknown_service_is_empty_at_the_last_removals_index() -> None:
    """I7: what a reader sees of a name never goes back when the service disappears."""
    cases = UseCases()
    service_id = await cases.register()
    written = await cases.registrar.deregister(service_id, deadline_s=cases.now_s)

    answer = cases.discovery.service("web", HEALTHY)

    assert answer.instances == ()
    assert answer.index == written.index == cases.discovery.service_index("web")


async def test_services_are_listed_in_pages_by_name() -> None:
    """`after` is the last name of the page before, whether it still exists or not."""
    cases = UseCases()
    for port, name in enumerate(("c", "a", "b"), start=1):
        await cases.register(name, port)

    first = cases.discovery.services(after="", limit=2)
    second = cases.discovery.services(after="b", limit=2)
    between = cases.discovery.services(after="aa", limit=9)

    assert [s.name for s in first.services] == ["a", "b"]
    assert first.more
    assert [s.name for s in second.services] == ["c"]
    assert not second.more
    assert [s.name for s in between.services] == ["b", "c"]


async def test_services_count_instances_and_healthy_ones() -> None:
    """A dashboard sees at a glance which service is in trouble."""
    cases = UseCases()
    await cases.register(port=1)
    await cases.report(await cases.register(port=2), Status.UNHEALTHY)

    counts = cases.discovery.services(after="", limit=10).services[0]

    assert (counts.instances, counts.healthy) == (2, 1)


def _ports(cases: UseCases, wanted: InstanceFilter) -> list[int]:
    answer = cases.discovery.service("web", wanted)
    return [i.registration.port for i in answer.instances]
