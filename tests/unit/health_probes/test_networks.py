"""No address gets past the rules by another spelling of it."""

import pytest

from registry.config import DENIED_NETWORKS
from registry.health.networks import NetworkRules, parse_network

DEFAULT = NetworkRules(allow=(), deny=DENIED_NETWORKS)


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("169.254.169.254", "169.254.0.0/16"),
        ("::ffff:169.254.169.254", "169.254.0.0/16"),
        ("::ffff:a9fe:a9fe", "169.254.0.0/16"),
        ("64:ff9b::a9fe:a9fe", "169.254.0.0/16"),
        ("2002:a9fe:a9fe::1", "169.254.0.0/16"),
        ("fe80::1", "fe80::/10"),
        ("fe80::1%eth0", "fe80::/10"),
        ("febf::1%2", "fe80::/10"),
        ("fd00:ec2::254", "fd00:ec2::254/128"),
        ("100.100.100.200", "100.100.100.200/32"),
    ],
)
def test_what_is_denied_by_default_has_one_answer_in_every_spelling(
    address: str, rule: str
) -> None:
    """A cloud's metadata answers a plain GET with credentials."""
    assert DEFAULT.refusal(address) == rule
    assert DEFAULT.literal_refusal(address) == rule
    assert DEFAULT.literal_refusal(f"[{address}]") == rule


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "::1", "fd00::1"])
def test_all_else_is_allowed_by_default(address: str) -> None:
    """Services live in private networks and on loopback."""
    assert DEFAULT.refusal(address) == ""


def test_an_allow_list_allows_nothing_else_and_deny_wins() -> None:
    """The reason names the rule, or that there is none."""
    rules = NetworkRules(allow=("10.0.0.0/8", "fd00::/8"), deny=("10.9.0.0/16",))

    assert rules.refusal("10.1.2.3") == ""
    assert rules.refusal("::ffff:10.1.2.3") == ""
    assert rules.refusal("10.9.2.3") == "10.9.0.0/16"
    assert rules.refusal("192.168.0.1") == "192.168.0.1 is in no allowed network"
    assert rules.refusal("64:ff9b::a01:203") != ""


def test_the_unspecified_address_is_loopback_for_the_rules() -> None:
    """Connecting to 0.0.0.0 reaches this machine."""
    rules = NetworkRules(allow=(), deny=("127.0.0.0/8", "::1"))

    assert rules.refusal("0.0.0.0") == "127.0.0.0/8"
    assert rules.refusal("::") == "::1/128"
    assert rules.refusal("::ffff:0.0.0.0") == "127.0.0.0/8"


@pytest.mark.parametrize("name", ["localhost", "web_1", "123456789012", "10.0.0.x"])
def test_names_are_judged_when_they_are_resolved(name: str) -> None:
    """Not before; and what should be an address and is none is refused."""
    assert DEFAULT.literal_refusal(name) == ""
    assert "no address" in DEFAULT.refusal(name)


def test_networks_have_one_form() -> None:
    """Mapped IPv4 networks would never match: addresses are unmapped first."""
    assert str(parse_network("::ffff:10.0.0.0/104")) == "10.0.0.0/8"
    assert str(parse_network("10.0.0.7")) == "10.0.0.7/32"
    for wrong in ("x", "", "10.0.0.1/8", "10.0.0.0/33", "fe80::%1/10", "10"):
        with pytest.raises(ValueError, match=r"is no network|names an address"):
            parse_network(wrong)
