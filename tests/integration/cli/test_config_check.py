"""`registry config check` looks at the files and folders that settings point to."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.commands.root import root


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return a good configuration of one replica of three, on loopback."""
    peers = ",".join(f"{name}=127.0.0.1:{9101 + n}" for n, name in enumerate("abc"))
    return {
        "SERVICE_REGISTRY_NODE_ID": "a",
        "SERVICE_REGISTRY_PEERS": peers,
        "SERVICE_REGISTRY_DATA_DIR": str(tmp_path / "data"),
    }


def check(environ: dict[str, str]) -> tuple[int, str]:
    """Return exit code and output."""
    done = CliRunner().invoke(root, ["config", "check"], env=environ)
    return done.exit_code, done.output


def check_file(environ: dict[str, str], file: Path) -> tuple[int, str]:
    """Return exit code and output for a configuration file."""
    arguments = ["config", "check", "--config", str(file)]
    done = CliRunner().invoke(root, arguments, env=environ)
    return done.exit_code, done.output


def test_authorities_that_cannot_be_read_are_named(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Else every https check would fail, and every service seem dead."""
    file = tmp_path / "settings.json"
    file.write_text('{"health_check": {"tls_ca_file": "/no/such.pem"}}')
    code, output = check_file(environ, file)

    assert code == 2
    assert "health_check.tls_ca_file: /no/such.pem" in output


def test_a_good_configuration_is_called_good(environ: dict[str, str]) -> None:
    """It makes nothing: the data directory comes with the first start."""
    assert check(environ) == (0, "the configuration is good\n")
    assert not Path(environ["SERVICE_REGISTRY_DATA_DIR"]).exists()


def test_every_file_in_the_way_is_named_at_once(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Else `serve` refuses what the check called good."""
    in_the_way = tmp_path / "data"
    in_the_way.write_text("")
    environ["SERVICE_REGISTRY_RAFT_KEY_FILE"] = str(tmp_path / "nokey")
    code, output = check(environ)

    assert code == 2
    assert "nokey" in output
    assert f"{in_the_way} is not a directory" in output
