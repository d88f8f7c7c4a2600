"""A registration's wishes over the registry's settings."""

import msgspec
import pytest

from registry.health.plan import CheckSettings, lease_s, plan_of
from registry.health.targets import target_of
from registry.model import Check, Registration, ServiceId, ServiceName

SETTINGS = CheckSettings(interval_s=30.0, timeout_s=5.0, failures=3, successes=2)
PLAIN = Registration(
    service_id=ServiceId("one"),
    name=ServiceName("web"),
    host="h",
    port=80,
    generation=1,
    registered_at_ms=0,
    ttl_seconds=300.0,
)


def _with(
    check: Check | None, *, endpoint: str = "", ttl_s: float = 300
) -> Registration:
    return msgspec.structs.replace(
        PLAIN, check=check, health_endpoint=endpoint, ttl_seconds=ttl_s
    )


def test_without_a_check_there_is_no_plan() -> None:
    """It lives by heartbeats alone."""
    assert plan_of(PLAIN, SETTINGS) is None


def test_a_health_endpoint_is_a_check_by_the_registrys_settings() -> None:
    """All that the seed's clients say."""
    plan = plan_of(_with(None, endpoint="/health"), SETTINGS)

    assert plan is not None
    assert (plan.kind, plan.path) == ("http", "/health")
    assert (plan.interval_s, plan.timeout_s) == (30.0, 5.0)
    assert (plan.failures, plan.successes) == (3, 2)


def test_a_registrations_wishes_come_first() -> None:
    """A database is asked less often than a front end."""
    wish = Check("tcp", "", 10.0, 2.0, 5, 1, 0)

    plan = plan_of(_with(wish), SETTINGS)

    assert plan is not None
    assert (plan.kind, plan.interval_s, plan.timeout_s) == ("tcp", 10.0, 2.0)
    assert (plan.failures, plan.successes) == (5, 1)


def test_a_check_without_a_path_asks_the_health_endpoint() -> None:
    """Who wishes another interval need not say the path twice."""
    both = plan_of(_with(Check(interval_seconds=5), endpoint="/up"), SETTINGS)
    neither = plan_of(_with(Check(interval_seconds=5)), SETTINGS)

    assert both is not None
    assert neither is not None
    assert (both.path, neither.path) == ("/up", "/")


def test_a_probe_ends_before_the_next_is_due() -> None:
    """Else the probes of one instance would pile up."""
    plan = plan_of(_with(Check(interval_seconds=2.0)), SETTINGS)

    assert plan is not None
    assert plan.timeout_s == 2.0


@pytest.mark.parametrize(
    ("registration", "expected_s"),
    [
        (PLAIN, 300.0),
        (_with(None, endpoint="/health"), 300.0),
        (_with(None, endpoint="/health", ttl_s=10), 103.0),
        (_with(Check("tcp", "", 10.0, 2.0), ttl_s=10), 37.0),
        (_with(Check("tcp"), ttl_s=0), 0.0),
    ],
)
def test_a_checked_lease_lasts_as_long_as_a_whole_verdict(
    registration: Registration, expected_s: float
) -> None:
    """Else a leader that cannot reach it ends it alone; 0 stays permanent."""
    assert lease_s(registration, SETTINGS) == expected_s


def test_the_target_is_all_that_a_prober_needs() -> None:
    """It looks nothing up."""
    plan = plan_of(_with(Check(path="/x", expected_status=204)), SETTINGS)
    assert plan is not None

    target = target_of(plan)

    assert (target.kind, target.host, target.port) == ("http", "h", 80)
    assert (target.path, target.timeout_s, target.expected_status) == ("/x", 5.0, 204)
