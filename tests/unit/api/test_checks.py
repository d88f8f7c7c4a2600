"""The fields ``check`` and ``initial_status``, and the body of a drain."""

import orjson
import pytest

from registry.api import parse
from registry.drains import DrainRequest
from registry.errors import InvalidField
from registry.model import Check, Status
from registry.registrar import RegistrationRequest

MINIMAL = {"name": "web", "host": "10.0.0.1", "port": 80}


def _parse(**changes: object) -> RegistrationRequest:
    return parse.registration(orjson.dumps({**MINIMAL, **changes}))


def test_a_whole_check_is_taken_as_it_is() -> None:
    """Every setting of the registry can be overridden by a registration."""
    wanted = {
        "kind": "http",
        "path": "http://10.0.0.1:80/ready",
        "interval_seconds": 5,
        "timeout_seconds": 0.5,
        "failures": 2,
        "successes": 3,
        "expected_status": 204,
        "a later version's": {},
    }

    check = _parse(check=wanted).check

    assert check == Check("http", "http://10.0.0.1:80/ready", 5.0, 0.5, 2, 3, 204)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({}, None),
        ({"check": None}, None),
        ({"check": {}}, Check("http", "/health")),
        ({"check": {}, "health_endpoint": "/live"}, Check("http", "/live")),
        ({"check": {"kind": "tcp"}, "health_endpoint": "/live"}, Check("tcp")),
        ({"check": {"kind": "grpc", "path": "a.B"}}, Check("grpc", "a.B")),
    ],
)
def test_what_is_left_out_follows_the_registration_or_the_settings(
    changes: dict[str, object], check: Check | None
) -> None:
    """An http check needs a path; everything else is for the registry's settings."""
    assert _parse(**changes).check == check


@pytest.mark.parametrize(
    ("check", "field"),
    [
        ("http", "check"),
        ([], "check"),
        ({"kind": 1}, "check.kind"),
        ({"kind": ""}, "check.kind"),
        ({"kind": "x" * 33}, "check.kind"),
        ({"path": "no slash"}, "check.path"),
        ({"path": "http://10.0.0.2/"}, "check.path"),
        ({"kind": "grpc", "path": "x" * 2049}, "check.path"),
        ({"interval_seconds": 0}, "check.interval_seconds"),
        ({"interval_seconds": True}, "check.interval_seconds"),
        ({"interval_seconds": 86_401}, "check.interval_seconds"),
        ({"timeout_seconds": 0.01}, "check.timeout_seconds"),
        ({"timeout_seconds": "5"}, "check.timeout_seconds"),
        ({"failures": 0}, "check.failures"),
        ({"failures": 1.0}, "check.failures"),
        ({"successes": 1_001}, "check.successes"),
        ({"expected_status": 99}, "check.expected_status"),
    ],
)
def test_every_field_of_a_check_has_its_bound(check: object, field: str) -> None:
    """The refusal names the field, by the path under which it was sent."""
    with pytest.raises(InvalidField, match=field) as caught:
        _parse(check=check)

    assert caught.value.field == field


def test_the_first_status_is_healthy_or_starting_and_nothing_else() -> None:
    """A service cannot begin as unhealthy: it would not register then."""
    assert _parse().initial_status is None
    assert _parse(initial_status="starting").initial_status is Status.STARTING
    assert _parse(initial_status="healthy").initial_status is Status.HEALTHY
    for value in ("unhealthy", "draining", 1, ["healthy"]):
        with pytest.raises(InvalidField, match="initial_status"):
            _parse(initial_status=value)


def test_a_drain_needs_neither_body_nor_reason() -> None:
    """In a hurry nobody should have to look up a format."""
    assert parse.drain(b" ") == DrainRequest()
    assert parse.drain(b"{}") == DrainRequest()
    body = b'{"reason": "rack", "seconds": 60}'
    assert parse.drain(body) == DrainRequest("rack", 60.0)


@pytest.mark.parametrize("body", [b"[", b"[]", b'{"name": 1}', b"\xff", b""])
def test_a_body_that_says_nothing_of_itself_claims_nothing(body: bytes) -> None:
    """Refusals are noted of whatever strangers send."""
    assert parse.claimed(body) == {}
