"""The quick step for registrations: the rules judge its values and its refusals."""

import json
from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.api import parse
from registry.api.registration_rules import by_rules
from registry.api.registration_typed import MAX_BODY_BYTES, typed
from registry.catalog import bounds
from registry.errors import RegistryError
from registry.registrar import RegistrationRequest
from tests.support.random_registrations import NUMBERS, bodies, damaged

MINIMAL = {"name": "web", "host": "10.0.0.1", "port": 80}
LONGEST: dict[str, tuple[int, Callable[[int], dict[str, object]]]] = {
    "name": (bounds.MAX_NAME_LENGTH, lambda n: {"name": "x" * n}),
    "host": (bounds.MAX_HOST_LENGTH, lambda n: {"host": "h." * 100 + "h" * (n - 200)}),
    "service_id": (bounds.MAX_SERVICE_ID_LENGTH, lambda n: {"service_id": "x" * n}),
    "endpoint": (
        bounds.MAX_HEALTH_ENDPOINT_LENGTH,
        lambda n: {"health_endpoint": "/".ljust(n, "x")},
    ),
    "zone": (bounds.MAX_ZONE_LENGTH, lambda n: {"zone": "x" * n}),
    "version": (bounds.MAX_VERSION_LENGTH, lambda n: {"version": "x" * n}),
    "tag": (bounds.MAX_TAG_LENGTH, lambda n: {"tags": ["x" * n]}),
    "tags": (bounds.MAX_TAGS, lambda n: {"tags": [str(i) for i in range(n)]}),
    "metadata": (
        bounds.MAX_METADATA_KEYS,
        lambda n: {"metadata": {str(i): i for i in range(n)}},
    ),
    "key": (bounds.MAX_METADATA_KEY_LENGTH, lambda n: {"metadata": {"x" * n: 1}}),
    "text": (bounds.MAX_METADATA_STRING_LENGTH, lambda n: {"metadata": {"k": "x" * n}}),
}
"""What may be how long, and fields in which it is as long as one likes."""

bounded = hypothesis.settings(max_examples=500, derandomize=True)


def _outcome(request: RegistrationRequest | RegistryError) -> object:
    if isinstance(request, RegistryError):
        return type(request), request.field, request.detail
    # Not by equality, to which 1, 1.0 and True are the same, and so is -0.0 and 0.0.
    return repr(request)


def _agree(body: bytes) -> None:
    try:
        expected: RegistrationRequest | RegistryError = by_rules(body)
    except RegistryError as error:
        expected = error
    try:
        got: RegistrationRequest | RegistryError = parse.registration(body)
    except RegistryError as error:
        got = error

    assert _outcome(got) == _outcome(expected)


@pytest.mark.slow
@bounded
@given(bodies())
def test_any_body_is_taken_or_refused_as_by_the_rules(body: bytes) -> None:
    """A bound that holds on one way only would depend on how a body is written."""
    _agree(body)


@pytest.mark.slow
@bounded
@given(damaged())
def test_any_damaged_body_is_taken_or_refused_as_by_the_rules(body: bytes) -> None:
    """Two parsers never refuse quite the same bytes."""
    _agree(body)


@pytest.mark.parametrize("field", ["port", "ttl_seconds", "weight", "m", "failures"])
@pytest.mark.parametrize("number", NUMBERS)
def test_every_way_to_write_a_number_is_read_alike(field: str, number: str) -> None:
    """Whole or not, beyond a bound or beyond what a machine can hold."""
    place = {"m": '"metadata": {"m": %s}', "failures": '"check": {"failures": %s}'}
    text = place.get(field, f'"{field}": %s') % number

    _agree(b'{"name": "web", "host": "h", "port": 1, %s}' % text.encode())


@pytest.mark.parametrize("what", LONGEST)
def test_every_length_has_the_same_bound(what: str) -> None:
    """The quick step goes up to it, and no further."""
    longest, make = LONGEST[what]
    for length in (longest, longest + 1):
        body = json.dumps(MINIMAL | make(length)).encode()

        assert (typed(body) is None) == (length > longest)
        _agree(body)


@pytest.mark.parametrize("field", [{"tags": [""]}, {"metadata": {"": 1}}, {"name": ""}])
def test_what_may_not_be_empty_is_left_to_the_rules(field: dict[str, object]) -> None:
    """An absent text is empty; these are none."""
    _agree(json.dumps(MINIMAL | field).encode())


def test_what_clients_send_takes_the_quick_step() -> None:
    """Else the step would only cost, and no other test would see it."""
    common = MINIMAL | {
        "ttl_seconds": 30,
        "health_endpoint": "/health",
        "metadata": {"version": "1.2.3", "shard": 4, "canary": True},
        "tags": ["blue"],
        "zone": None,
    }

    for more in ({}, {"host": "::1"}, {"check": {"kind": "tcp"}, "weight": 3}):
        body = json.dumps(common | more).encode()

        assert typed(body) == by_rules(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":"web","host":"h","port":1,"x":1e999}',
        b'{"name":"web","host":"h","port":1,"zone":"\\u0041"}',
        b'{"name":"web","host":"h","port":1,"zone":"\x7f"}',
        '{"name":"web","host":"h","port":1,"zone":"é"}'.encode(),
        b'{"name":"web","host":"h","port":1.0}',
        b'{"name":"web","host":"h","port":1,"metadata":{"a":9223372036854775808}}',
        b'{"name":"web","host":"h","port":1,"port":"x","port":1}',
        b'{"name":"web","host":"h","port":1}' + b" " * MAX_BODY_BYTES,
    ],
)
def test_what_could_be_read_in_two_ways_is_left_to_the_rules(body: bytes) -> None:
    """Whether they take it or not."""
    assert typed(body) is None
    _agree(body)


@given(
    st.floats(-(2.0**63), 2.0**64, exclude_min=True, exclude_max=True),
    st.sampled_from(["", "x" * bounds.MAX_METADATA_KEY_LENGTH]),
)
def test_no_body_of_the_quick_step_has_too_many_bytes(value: float, key: str) -> None:
    """A fraction may be written shorter than it is kept: 1e15 is 1000000000000000.0."""
    pairs = [f'"{i}{key[2:]}":{value:.17g}' for i in range(bounds.MAX_METADATA_KEYS)]
    metadata = ",".join(pairs[: MAX_BODY_BYTES // (len(pairs[-1]) + 3)])
    body = b'{"name":"web","host":"h","port":1,"metadata":{%s}}' % metadata.encode()

    assert typed(body) is not None
    _agree(body)
