"""Hosts and places of health checks: what the field uses, and nothing that misleads."""

import pytest

from registry.api.addresses import is_endpoint, is_host


@pytest.mark.parametrize(
    "host",
    [
        "my-service",
        "my_project_web_1",
        "web.default.svc.cluster.local.",
        "10.0.0.1",
        "1.example",
        "123456789012",
        "::1",
        "[::1]",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "a" * 63,
        ".".join(["a" * 63] * 3 + ["b" * 61]),
    ],
)
def test_names_and_addresses_are_hosts(host: str) -> None:
    """Compose's and Kubernetes' names, container ids, both families."""
    assert is_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "..",
        "..%%[[]]",
        "a..b",
        ".a",
        "-a",
        "a-",
        "a" * 64,
        "host:80",
        "[web]",
        "[10.0.0.1]",
        "[::1",
        "::1]",
        "[[::1]]",
        "a%41",
        "256.0.0.1",
        "1.2.3",
        "010.0.0.1",
        "fe80::1%",
        "http://h",
        "h ",
        "x\n",
    ],
)
def test_nothing_else_is_a_host(host: str) -> None:
    """A client would put it into a URL and fail, or reach another host."""
    assert not is_host(host)


@pytest.mark.parametrize(
    ("endpoint", "host", "port"),
    [
        ("/", "h", 80),
        ("/health?deep=1", "h", 80),
        ("http://h:8080/health", "h", 8080),
        ("http://H/health", "h", 80),
        ("https://h", "h", 443),
        ("HTTP://h/x", "h", 80),
        ("http://[::1]:81/", "::1", 81),
        ("http://[::1]:81/", "[::1]", 81),
    ],
)
def test_a_check_of_the_instance_itself_is_taken(
    endpoint: str, host: str, port: int
) -> None:
    """A path, or the same place said in full."""
    assert is_endpoint(endpoint, host, port)


@pytest.mark.parametrize(
    "endpoint",
    [
        "health",
        "//evil/health",
        "/a b",
        "ftp://h/health",
        "http://evil/health",
        "http://h:81/health",
        "https://h/health",
        "http://h@evil/health",
        "http://evil\\@h/",
        "http://h:99999/",
        "http://",
        "http:///health",
        "http://[::1/",
    ],
)
def test_a_check_of_anything_else_is_not(endpoint: str) -> None:
    """The registry would fetch whatever a registration names, for whoever asks."""
    assert not is_endpoint(endpoint, "h", 80)
