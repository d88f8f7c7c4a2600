"""The settings of health checks: networks, doubts."""

from pathlib import Path

import pytest

from registry.config import DENIED_NETWORKS
from registry.config_values import networks
from tests.unit.config.worlds import load_in, mistakes_in, write_file


def test_networks_are_a_list_in_the_file_and_text_in_the_environment(
    tmp_path: Path,
) -> None:
    """Both mean the same; unset keeps the default."""
    write_file(tmp_path, {"health_check": {"allow": ["10.0.0.0/8", "fd00::/8"]}})
    by_file = load_in(tmp_path).config.health_check
    by_env = load_in(tmp_path, {"HEALTH_CHECK_ALLOW": "10.0.0.0/8, fd00::/8"})

    assert by_file.allow == ("10.0.0.0/8", "fd00::/8")
    assert by_env.config.health_check.allow == by_file.allow
    assert by_file.deny == DENIED_NETWORKS


@pytest.mark.parametrize("given", [[], "none", " None "])
def test_nothing_is_denied_only_if_asked_for(tmp_path: Path, given: object) -> None:
    """An empty text is unset, as everywhere."""
    write_file(tmp_path, {"health_check": {"deny": given}})
    assert load_in(tmp_path).config.health_check.deny == ()

    write_file(tmp_path, {"health_check": {"deny": ""}})
    assert load_in(tmp_path).config.health_check.deny == DENIED_NETWORKS


def test_each_wrong_network_is_a_mistake_of_its_own(tmp_path: Path) -> None:
    """And none of them is allowed to mean all."""
    env = {"HEALTH_CHECK_DENY": "10.0.0.1/8,nonsense", "HEALTH_CHECK_ALLOW": "none"}

    mistakes = mistakes_in(tmp_path, env)

    assert len(mistakes) == 3
    assert sum("'10.0.0.1/8' names an address inside of" in m for m in mistakes) == 1
    assert sum("'nonsense' is no network" in m for m in mistakes) == 1
    assert sum("'none' is no network" in m for m in mistakes) == 1


@pytest.mark.parametrize("wrong", [5, None, {}, [5], ",", ["10.0.0.0/8"] * 257])
def test_what_is_no_list_of_networks_is_refused(wrong: object) -> None:
    """Whatever stands in the file."""
    with pytest.raises(ValueError, match=r"network|text"):
        networks()(wrong)


def test_what_has_no_effect_is_a_warning(tmp_path: Path) -> None:
    """A replica starts with it; `config check` does not pass it."""
    longer = {"HEALTH_CHECK_INTERVAL": "2", "HEALTH_CHECK_TIMEOUT": "5"}
    write_file(tmp_path, {"health_check": {"tls_verify": False, "tls_ca_file": "x"}})

    warnings = load_in(tmp_path, longer).warnings

    assert len(warnings) == 2
    assert "health_check.timeout_seconds (env HEALTH_CHECK_TIMEOUT) = 5" in warnings[0]
    assert "health_check.tls_ca_file" in warnings[1]


def test_a_short_interval_alone_is_no_contradiction(tmp_path: Path) -> None:
    """The default time-out gives way to it."""
    assert load_in(tmp_path, {"HEALTH_CHECK_INTERVAL": "1"}).warnings == ()


def test_the_address_rule_is_one_of_two_words(tmp_path: Path) -> None:
    """It warns unless told to replace."""
    name = "SERVICE_REGISTRY_EXCLUSIVE_ADDRESS"

    assert load_in(tmp_path).config.registration.exclusive_address == "warn"
    told = load_in(tmp_path, {name: "Replace"}).config
    assert told.registration.exclusive_address == "replace"
    assert "warn, replace" in mistakes_in(tmp_path, {name: "x"})[0]
