"""Defaults < file < environment; one message per mistake, all of them at once."""

import os
import re
from pathlib import Path

import pytest

from registry.config import Address, Config, ConfigMistakes
from registry.config_sources import DEFAULT_FILE, MAX_FILE_BYTES, load
from registry.config_table import BY_NAME, SETTINGS, default_of, render, value_of
from tests.unit.config.worlds import HOME, load_in, mistakes_in, write_file

SEED_FILE = {
    "bind_address": "0.0.0.0:8100",
    "health_check": {
        "interval_seconds": 30,
        "timeout_seconds": 5,
        "failure_threshold": 3,
    },
    "service_ttl_seconds": 300,
    "load_balancing": {"strategy": "round_robin", "enable_circuit_breaker": True},
}
SEED_ENVIRONMENT = {
    "SERVICE_REGISTRY_BIND": "127.0.0.1:9100",
    "SERVICE_REGISTRY_LOG_LEVEL": "warn",
    "HEALTH_CHECK_INTERVAL": "10",
    "HEALTH_CHECK_TIMEOUT": "2",
    "HEALTH_CHECK_FAILURES": "4",
    "SERVICE_TTL": "60",
    "HANA_ODATA_URL": "https://h.example/odata",
    "HANA_USERNAME": "DBADMIN",
    "HANA_PASSWORD": "secret",
}


def test_the_seeds_file_gives_the_defaults(tmp_path: Path) -> None:
    """Its values are the defaults, so nothing changes with it or without it."""
    bare = load_in(tmp_path).config
    write_file(tmp_path, SEED_FILE)
    loaded = load_in(tmp_path)

    assert loaded.config == bare
    assert loaded.warnings == ()
    assert loaded.origins["service_ttl_seconds"] == f"file {DEFAULT_FILE}"


def test_every_environment_name_of_the_seed_counts_and_wins(tmp_path: Path) -> None:
    """The seed's deployments must work as they stand."""
    write_file(tmp_path, SEED_FILE)
    loaded = load_in(tmp_path, SEED_ENVIRONMENT)

    config = loaded.config
    assert config.bind_address == Address("127.0.0.1", 9100)
    assert config.log_level == "warning"
    assert config.health_check.interval_seconds == 10
    assert config.health_check.timeout_seconds == 2
    assert config.health_check.failure_threshold == 4
    assert config.service_ttl_seconds == 60
    assert config.hana.odata_url == "https://h.example/odata"
    assert (config.hana.username, config.hana.password) == ("DBADMIN", "secret")
    assert loaded.origins["bind_address"] == "env SERVICE_REGISTRY_BIND"


def test_the_table_and_the_structs_name_the_same_settings() -> None:
    """A field without a line in the table could never be set."""
    fields = {
        f"{outer}.{inner}" if hasattr(getattr(Config(), outer), "__struct_fields__")
        else outer
        for outer in Config.__struct_fields__
        for inner in getattr(getattr(Config(), outer), "__struct_fields__", ("",))
    }  # fmt: skip

    assert fields == set(BY_NAME)
    assert len(BY_NAME) == len(SETTINGS)


def test_what_is_shown_can_be_written_back(tmp_path: Path) -> None:
    """`config show --output json` is a file: each rendered value parses to itself."""
    env = {
        "SERVICE_REGISTRY_PEERS": "a=127.0.0.1:8101",
        "SERVICE_REGISTRY_NODE_ID": "a",
    }
    config = load_in(tmp_path, env).config

    for setting in SETTINGS:
        value = value_of(config, setting.name)
        if render(value) != "":
            assert setting.parse(render(value)) == value


def test_empty_means_unset(tmp_path: Path) -> None:
    """The seed's compose file passes ${HANA_ODATA_URL}, empty where it is not used."""
    write_file(tmp_path, {"hana": {"odata_url": "", "username": None}})
    loaded = load_in(tmp_path, dict.fromkeys(SEED_ENVIRONMENT, ""))

    assert loaded.config.hana.odata_url == ""
    assert loaded.config.health_check.interval_seconds == default_of(
        "health_check.interval_seconds"
    )
    assert loaded.warnings == ()


def test_all_mistakes_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    """Nobody should restart a container five times to find five mistakes."""
    write_file(tmp_path, {"service_ttl_seconds": "soon", "health_check": 5})
    env = {"HEALTH_CHECK_FAILURES": "none", "SERVICE_REGISTRY_BIND": "8100"}

    mistakes = mistakes_in(tmp_path, env)

    assert len(mistakes) == 4
    assert mistakes[0].startswith(f"{DEFAULT_FILE}: service_ttl_seconds = 'soon': must")
    assert mistakes[1] == f"{DEFAULT_FILE}: health_check: must be an object"
    assert any(m.startswith("env HEALTH_CHECK_FAILURES = 'none': ") for m in mistakes)
    assert any(m.startswith("env SERVICE_REGISTRY_BIND = '8100': ") for m in mistakes)


def test_unknown_names_are_warnings_with_the_nearest_one(tmp_path: Path) -> None:
    """A replica starts, as a newer release may know the name; a typo is still seen."""
    write_file(tmp_path, {"service_ttl_second": 5, "cluster": {"node": "a"}})
    env = {"SERVICE_REGISTRY_DATADIR": "/x", "SERVICE_REGISTRY_URL": "http://h"}

    warnings = load_in(tmp_path, env).warnings

    assert len(warnings) == 3
    assert "did you mean service_ttl_seconds?" in warnings[0]
    assert "cluster.node: unknown key; did you mean cluster.node_id?" in warnings[1]
    assert "did you mean SERVICE_REGISTRY_DATA_DIR?" in warnings[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVICE_REGISTRY_PORT", "tcp://10.0.0.1:8100"),
        ("SERVICE_REGISTRY_PORT_8100_TCP_ADDR", "10.0.0.1"),
        ("SERVICE_REGISTRY_SERVICE_HOST", "10.0.0.1"),
        ("SERVICE_REGISTRY_SERVICE_PORT_HTTP", "8100"),
        ("SERVICE_REGISTRY_READERS_SERVICE_HOST", "10.0.0.2"),
        ("SERVICE_REGISTRY_READERS_PORT", "tcp://10.0.0.2:8100"),
        ("SERVICE_REGISTRY_READERS_PORT_8100_TCP", "tcp://10.0.0.2:8100"),
    ],
)
def test_what_kubernetes_injects_is_ignored(
    tmp_path: Path, name: str, value: str
) -> None:
    """Service links of our own Service stand in every pod of its namespace."""
    assert load_in(tmp_path, {name: value}).warnings == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is no JSON: .* in line 1, column 2"),
        ("[]", "must hold one JSON object"),
        ('{"a": NaN}', "NaN is no number"),
        (
            '{"log_level": "info", "log_level": "debug"}',
            "'log_level' stands there twice",
        ),
        ("[" * 100_000, "no usable JSON|no JSON"),
        (" " * (MAX_FILE_BYTES + 1), "larger than"),
    ],
)
def test_an_unusable_file_is_one_clear_mistake(
    tmp_path: Path, content: str, reason: str
) -> None:
    """Named with the file, and with the place in it where there is one."""
    write_file(tmp_path, content)

    (mistake,) = mistakes_in(tmp_path)

    assert mistake.startswith(f"{DEFAULT_FILE}: ")
    assert re.search(reason, mistake)


def test_a_directory_in_place_of_the_file_is_named_as_such(tmp_path: Path) -> None:
    """Docker makes one when the mounted file does not exist on the host."""
    (tmp_path / DEFAULT_FILE).mkdir(parents=True)

    (mistake,) = mistakes_in(tmp_path)

    assert "is a directory, not a file" in mistake


def test_a_pipe_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """Reading one that nobody writes to would wait for ever."""
    os.mkfifo(tmp_path / "pipe.json")

    with pytest.raises(ConfigMistakes, match=r"pipe\.json: is no regular file"):
        load(HOME, config_file=Path("pipe.json"), directory=tmp_path)


def test_a_file_named_by_the_operator_must_exist(tmp_path: Path) -> None:
    """Only the default file may be missing."""
    with pytest.raises(ConfigMistakes, match="there is no such file"):
        load(HOME, config_file=Path("mine.json"), directory=tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A byte-order mark is accepted, as Windows editors leave one."""
    write_file(tmp_path, {}).write_bytes(b'\xef\xbb\xbf{"log_level": "debug"}')
    assert load_in(tmp_path).config.log_level == "debug"

    write_file(tmp_path, {}).write_bytes(b'{"log_level": "\xff"}')
    assert "no UTF-8 at byte" in mistakes_in(tmp_path)[0]


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    """Neither in a mistake nor in a representation that lands in a log."""
    write_file(tmp_path, {"hana": {"password": ["hunter2"]}})
    assert not any("hunter2" in m for m in mistakes_in(tmp_path))

    write_file(tmp_path, {"hana": {"password": "hunter2"}})
    assert "hunter2" not in repr(load_in(tmp_path).config)


def test_a_password_can_come_from_a_file(tmp_path: Path) -> None:
    """As Kubernetes and docker mount secrets: with a line end that is no part of it."""
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    env = {"HANA_PASSWORD_FILE": str(secret)}

    loaded = load_in(tmp_path, env)

    assert loaded.config.hana.password == "hunter2"
    assert loaded.origins["hana.password"] == f"file {secret}"
    both = mistakes_in(tmp_path, env | {"HANA_PASSWORD": "x"})
    assert "both given" in both[0]
    secret.unlink()
    assert "No such file" in mistakes_in(tmp_path, env)[0]
