"""The patterns admit what the field uses, and nothing that breaks a path or a URL."""

import re

import pytest

from registry.catalog import bounds


@pytest.mark.parametrize(
    "name",
    ["my-service", "service-registry", "API_v2", "a", "orders.eu:blue~1", "x" * 255],
)
def test_names_of_the_field_are_valid(name: str) -> None:
    """The seed's names, Kubernetes', Eureka's and compose's."""
    assert re.fullmatch(bounds.NAME_PATTERN, name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a b", "a\n", "-a", "x" * 256, "ä", "a%2Fb"]
)
def test_names_that_are_no_segment_of_a_path_are_not(name: str) -> None:
    """A name is found under /services/{name}: clients fold dots and escape the rest."""
    assert not re.fullmatch(bounds.NAME_PATTERN, name)


@pytest.mark.parametrize(
    "host", ["my-service", "10.0.0.1", "a_b.c", "fe80::1%eth0", "[::1]", "x" * 253]
)
def test_hosts_of_the_field_are_valid(host: str) -> None:
    """Names, with underscores as compose makes them, and addresses of both families."""
    assert re.fullmatch(bounds.HOST_PATTERN, host)


@pytest.mark.parametrize(
    "host", ["", "a b", "a/b", "user@host", "a?b", "a#b", "a\\b", "x" * 254, "a\n"]
)
def test_hosts_that_would_change_a_url_are_not(host: str) -> None:
    """The health monitor puts the host into a URL that it then fetches."""
    assert not re.fullmatch(bounds.HOST_PATTERN, host)


@pytest.mark.parametrize("service_id", ["", ".", "..", "a/b", "x" * 129, "a\n"])
def test_ids_that_are_no_segment_of_a_path_are_not_valid(service_id: str) -> None:
    """An id stands in /heartbeat/{service_id}."""
    assert not re.fullmatch(bounds.SERVICE_ID_PATTERN, service_id)
