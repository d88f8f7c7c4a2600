"""`registry config`, and what the command line says of itself."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry.commands.configuration import HIDDEN, reference_lines
from registry.commands.root import root
from registry.config_table import SETTINGS

CLEAN: dict[str, str | None] = {s.env: None for s in SETTINGS if s.env}


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    """Run a command with none of our settings in the environment but ``env``."""
    return CliRunner().invoke(root, arguments, env={**CLEAN, **(env or {})})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a good configuration file."""
    path = tmp_path / "c.json"
    path.write_text('{"service_ttl_seconds": 60, "hana": {"password": "hunter2"}}')
    return path


def test_show_names_each_source_and_hides_secrets(file: Path) -> None:
    """What an operator pastes into a ticket must not hold the password."""
    env = {"SERVICE_REGISTRY_LOG_LEVEL": "debug"}
    for output in ("table", "json"):
        result = run(
            "config", "show", "--config", str(file), "--output", output, env=env
        )

        assert result.exit_code == 0
        assert "hunter2" not in result.output
        assert HIDDEN in result.output
        assert "env SERVICE_REGISTRY_LOG_LEVEL" in result.output
        assert f"file {file}" in result.output


def test_show_gives_json_types(file: Path) -> None:
    """For programs a number is a number."""
    shown = json.loads(
        run("config", "show", "--config", str(file), "--output", "json").output
    )

    assert shown["service_ttl_seconds"]["value"] == 60
    assert shown["load_balancing.enable_circuit_breaker"]["value"] is True
    assert shown["bind_address"] == {"value": "0.0.0.0:8100", "source": "default"}


def test_check_is_stricter_than_serve_about_unknown_names(file: Path) -> None:
    """Exit code 2 in a pipeline, where a typo can still be mended."""
    good = run("config", "check", "--config", str(file))
    typo = run(
        "config", "check", "--config", str(file), env={"SERVICE_REGISTRY_BINT": "x"}
    )
    wrong = run("config", "check", "--config", str(file), env={"SERVICE_TTL": "x"})

    assert (good.exit_code, typo.exit_code, wrong.exit_code) == (0, 2, 2)
    assert "did you mean SERVICE_REGISTRY_BIND?" in typo.output
    assert "env SERVICE_TTL = 'x'" in wrong.output
    assert "Traceback" not in wrong.output


def test_serve_refuses_a_wrong_configuration_in_the_same_words(file: Path) -> None:
    """Before anything is opened or logged."""
    result = run("serve", "--config", str(file), env={"SERVICE_TTL": "x"})

    assert result.exit_code == 2
    assert "env SERVICE_TTL = 'x'" in result.output


def test_the_reference_lists_every_setting() -> None:
    """It is the table in the README."""
    lines = reference_lines()

    assert len(lines) == len(SETTINGS) + 2
    assert all(line.count("|") == 5 for line in lines)
    assert run("config", "reference").output.splitlines() == lines


@pytest.mark.parametrize("name", sorted(root.commands))
def test_every_command_explains_itself(name: str) -> None:
    """A command without help does not exist for a newcomer."""
    result = run(name, "--help")

    assert result.exit_code == 0
    assert root.commands[name].get_short_help_str()
