"""The exposition: exact names, exact kinds, counted at the scrape."""

from registry.drains import DrainRequest
from registry.model import Status
from registry.source_metrics import SOURCE_METRICS
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


async def test_the_process_tells_what_it_uses() -> None:
    """What leaks shows here first: memory, open files, tasks."""
    cases = UseCases()
    cases.metrics.register_source(lambda: {"registry_tasks": 3.0})

    lines = _lines(cases)

    assert "registry_tasks 3.0" in lines
    names = {line.partition(" ")[0] for line in lines}
    assert {"process_open_fds", "process_resident_memory_bytes"} <= names


async def test_checks_are_counted() -> None:
    """The seed's two counters exist from the start, at zero."""
    cases = UseCases()
    cases.metrics.observe_check(kind="tcp", passed=False, latency_s=0.02)
    cases.metrics.observe_check(kind="http", passed=True, latency_s=0.2)

    lines = _lines(cases)

    assert "registry_health_checks_total 2.0" in lines
    assert "registry_health_check_failures_total 1.0" in lines
    duration = "registry_health_check_duration_seconds_bucket"
    assert f'{duration}{{kind="tcp",le="0.025"}} 1.0' in lines
    assert f'{duration}{{kind="http",le="0.1"}} 0.0' in lines


async def test_what_the_duties_tell_is_counted_by_its_word() -> None:
    """Evictions, holds, opinions and revivals: what the duties judged, on record."""
    cases = UseCases()
    cases.metrics.observe_evictions("lease_expired", 3)
    cases.metrics.observe_hold()
    cases.metrics.observe_opinion("agreed")
    cases.metrics.observe_revivals(2)

    lines = _lines(cases)

    assert 'registry_evictions_total{cause="lease_expired"} 3.0' in lines
    assert "registry_eviction_holds_total 1.0" in lines
    assert 'registry_opinions_total{result="agreed"} 1.0' in lines
    assert "registry_revivals_total 2.0" in lines


async def test_gauges_tell_of_drains_shared_addresses_and_the_gone() -> None:
    """What needs a look, at one glance."""
    cases = UseCases()
    service_id = await cases.register("web")
    await cases.register("api")
    await cases.drains.drain(service_id, DrainRequest(), deadline_s=cases.now_s)

    lines = _lines(cases)

    assert "registry_addresses_drained 1.0" in lines
    assert "registry_shared_addresses 1.0" in lines
    assert "registry_registrations_gone 0.0" in lines


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
