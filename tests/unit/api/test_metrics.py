"""The exposition: exact names, exact kinds, counted at the scrape."""

from registry.metrics import SOURCE_METRICS
from registry.model import Status
from tests.support.use_cases import UseCases


async def test_gauges_count_instances_at_the_scrape() -> None:
    """The seed's gauge is called ..._total, which the library would rename."""
    cases = UseCases()
    await cases.register(port=1)
    await cases.report(await cases.register(port=2), Status.UNHEALTHY)

    lines = _lines(cases)

    assert "# TYPE registry_services_total gauge" in lines
    assert "registry_services_total 2.0" in lines
    size_bytes = float(sum(map(len, cases.consensus.proposed[:2])))
    assert f"registry_registrations_bytes {size_bytes}" in lines
    assert "registry_services_healthy 1.0" in lines
    assert "registry_registrations 2.0" in lines


async def test_requests_are_counted_by_method_route_and_class() -> None:
    """Labels are bounded: a made-up method is `other`."""
    cases = UseCases()
    for method in ("GET", "GET", "BREW"):
        cases.metrics.observe_request(method, "/services", 200)

    lines = _lines(cases)

    assert "# TYPE registry_requests_total counter" in lines
    for method, count in (("GET", "2.0"), ("other", "1.0")):
        labels = f'method="{method}",route="/services",status="2xx"'
        assert f"registry_requests_total{{{labels}}} {count}" in lines


async def test_proposals_are_counted_by_result_and_timed() -> None:
    """A refusal by the catalog is not a failure of the cluster."""
    cases = UseCases()
    await cases.register()

    lines = _lines(cases)

    assert 'registry_proposals_total{result="committed"} 1.0' in lines
    assert 'registry_proposal_duration_seconds_bucket{le="0.001"} 1.0' in lines
    assert "registry_proposal_duration_seconds_count 1.0" in lines


async def test_checks_are_counted() -> None:
    """The seed's two counters exist from the start, at zero."""
    cases = UseCases()
    cases.metrics.observe_check(passed=False)
    cases.metrics.observe_check(passed=True)

    lines = _lines(cases)

    assert "registry_health_checks_total 2.0" in lines
    assert "registry_health_check_failures_total 1.0" in lines


async def test_a_source_adds_its_numbers() -> None:
    """The cluster tells numbers, and this module alone knows the library."""
    cases = UseCases()
    name = "registry_raft_syncs_total"
    cases.metrics.register_source(lambda: {name: 4, "registry_new_total": 5})

    lines = _lines(cases)

    assert f"# HELP {name} {SOURCE_METRICS[name][1]}" in lines
    assert f"{name} 4.0" in lines
    assert "# TYPE registry_new_total counter" in lines


def _lines(cases: UseCases) -> list[str]:
    return cases.metrics.exposition().decode().splitlines()
