"""Single settings: what is understood, and what a mistake says."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.config import Address
from registry.config_table import SETTINGS
from registry.config_values import (
    address,
    count,
    one_of,
    parse_advertise,
    parse_flag,
    parse_node_id,
    parse_peers,
    parse_text,
    parse_web_url,
    seconds,
)

DURATION = seconds(least=0.1, most=600)


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (30, 30.0),
        (1.5, 1.5),
        ("30", 30.0),
        (" 500ms ", 0.5),
        ("5m", 300.0),
        ("2 s", 2.0),
    ],
)
def test_durations_are_numbers_of_seconds_or_carry_a_unit(
    given_value: object, expected: float
) -> None:
    """The seed writes bare seconds; people write 500ms."""
    assert DURATION(given_value) == expected


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "-1", "1e3", "nan", "inf", 0, 601, True, None, [], 10**400, float("nan")],
)
def test_a_wrong_duration_says_what_is_allowed(wrong: object) -> None:
    """A value out of bounds must not become a timer of zero or of a century."""
    with pytest.raises(ValueError, match=r"0\.1 to 600 seconds"):
        DURATION(wrong)


def test_zero_is_allowed_only_where_it_means_something() -> None:
    """A TTL of 0 is "never"; an interval of 0 would be a busy loop."""
    assert seconds(least=1, most=9, zero="never")("0") == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0:8100", Address("0.0.0.0", 8100)),
        ("h1:8100", Address("h1", 8100)),
        ("[::1]:8100", Address("::1", 8100)),
        ("[fe80::1%eth0]:1", Address("fe80::1%eth0", 1)),
        ("my_host-1.svc.local:65535", Address("my_host-1.svc.local", 65535)),
    ],
)
def test_addresses_are_host_and_port(text: str, expected: Address) -> None:
    """And are written as they are read."""
    parsed = address()(text)

    assert parsed == expected
    assert str(parsed) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("8100", "port is missing"),
        ("host:", "port is missing"),
        (":8100", "host is missing"),
        ("::1:8100", "in brackets"),
        ("[::1]", "IPv6"),
        ("[host]:1", "IPv6"),
        ("[::::]:8100", "IPv6"),
        ("[1:2]:8100", "IPv6"),
        ("999.1.1.1:8100", "no host"),
        ("1.2.3:8100", "no host"),
        ("web.1:8100", "no host"),
        ("host:http", "no port number"),
        ("host:0", "1 to 65535"),
        ("host:65536", "1 to 65535"),
        ("http://host:80", "brackets|no host"),
        ("a b:80", "no host"),
        (8100, "must be text"),
    ],
)
def test_a_wrong_address_says_why(text: object, reason: str) -> None:
    """The most common mistakes each have a reason of their own."""
    with pytest.raises(ValueError, match=reason):
        address()(text)


def test_peers_read_the_same_from_text_and_from_an_object() -> None:
    """The twin in the file means what the environment means."""
    text = parse_peers("a=h1:8101, b=[::1]:8102,c=h3:8103,")

    assert text == parse_peers({"a": "h1:8101", "b": "[::1]:8102", "c": "h3:8103"})
    assert text["b"] == ("::1", 8102)
    assert list(text) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("h1:8101", "must be id=host:port"),
        (",,", "names no member"),
        ("a=h1", "member 'a': must be host:port"),
        ("a=h:1,a=h:2", "'a' is listed twice"),
        ("=h:1", "member ''"),
        ("a/b=h:1", "member 'a/b'"),
        ({"a": 5}, "member 'a': must be text"),
        (["a"], "must be a=host1:8101"),
        (",".join(f"n{i}=h:{i + 1}" for i in range(65)), "more than 64"),
    ],
)
def test_wrong_peers_name_the_member(value: object, reason: str) -> None:
    """In a list of five the reader must not search."""
    with pytest.raises(ValueError, match=reason):
        parse_peers(value)


@pytest.mark.parametrize("word", ["1", "TRUE", "yes", "On", True])
def test_flags_have_several_spellings(word: object) -> None:
    """As in compose files and manifests."""
    assert parse_flag(word) is True


def test_small_parsers_refuse_what_they_do_not_know() -> None:
    """Each with the choices or the bounds in the message."""
    with pytest.raises(ValueError, match="true or false"):
        parse_flag("maybe")
    with pytest.raises(ValueError, match="a, b"):
        one_of("a", "b")("c")
    with pytest.raises(ValueError, match="whole number from 1 to 5"):
        count(least=1, most=5)("2.5")
    with pytest.raises(ValueError, match="63 letters"):
        parse_node_id("x" * 64)
    with pytest.raises(ValueError, match="control"):
        parse_text("a\nb")


def test_web_addresses_carry_no_password() -> None:
    """They are shown by `config show` and to every client of `/cluster`."""
    assert parse_web_url("https://h.example/odata/") == "https://h.example/odata"
    assert parse_advertise("h:8100") == "http://h:8100"
    with pytest.raises(ValueError, match="user or password"):
        parse_web_url("https://u:p@h")
    with pytest.raises(ValueError, match="http://"):
        parse_web_url("ftp://h")
    with pytest.raises(ValueError, match="URL"):
        parse_web_url("http://h:x")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_no_value_whatever_breaks_a_parser(value: object) -> None:
    """A parser answers or raises ValueError; anything else would be a traceback."""
    for setting in SETTINGS:
        with suppress(ValueError):
            setting.parse(value)
