"""`registry dev` without its processes: layout, environment, folder."""

from pathlib import Path

import pytest

from registry.commands.dev_cluster import NODE_IDS, child_environment, plan
from registry.commands.dev_directory import (
    LOG_BYTES_KEPT,
    DevDirectory,
    DevDirectoryError,
)
from registry.config_sources import load

MEMBERS = plan(8100)


def test_the_ports_are_those_of_the_documentation() -> None:
    """HTTP 8100, 8110, 8120; Raft is HTTP + 1."""
    assert [m.http_port for m in MEMBERS] == [8100, 8110, 8120]
    assert [m.raft_port for m in MEMBERS] == [8101, 8111, 8121]


def test_a_child_gets_a_configuration_that_passes_the_check(tmp_path: Path) -> None:
    """Whatever of our own settings stands in the environment of `registry dev`."""
    directory = DevDirectory(tmp_path, NODE_IDS)
    outside = {
        "HOME": "/home/me", "HEALTH_CHECK_INTERVAL": "1",
        "SERVICE_REGISTRY_SINGLE": "1", "SERVICE_REGISTRY_RAFT_BIND": "0.0.0.0:1",
        "SERVICE_REGISTRY_LOG_LEVEL": "debug", "KUBERNETES_SERVICE_HOST": "10.0.0.1",
    }  # fmt: skip

    environ = child_environment(MEMBERS[1], MEMBERS, directory, outside)
    loaded = load(environ, directory=tmp_path)

    assert loaded.warnings == ()
    assert loaded.config.cluster.node_id == "b"
    assert loaded.config.cluster.advertise == "http://127.0.0.1:8110"
    assert loaded.config.cluster.raft_bind == ("127.0.0.1", 8111)
    assert loaded.config.cluster.data_dir == str(tmp_path / "b")
    assert loaded.config.log_level == "debug"
    assert loaded.config.health_check.interval_seconds == 1


def test_fresh_removes_only_what_dev_made(tmp_path: Path) -> None:
    """`--fresh` deletes; a file that somebody else put there stays."""
    directory = DevDirectory(tmp_path / "dev", NODE_IDS)
    directory.open(fresh=False)
    (directory.data("a") / "journal").write_text("x")
    directory.log("a").write_text("x")
    (tmp_path / "dev" / "mine").write_text("x")
    directory.close()

    directory.open(fresh=False)
    assert (directory.data("a") / "journal").exists()
    directory.close()
    directory.open(fresh=True)

    assert list(directory.data("a").iterdir()) == []
    assert not directory.log("a").exists()
    assert (tmp_path / "dev" / "mine").exists()
    directory.close()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """A mistyped --data-dir must not cost anybody a folder named a."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "precious").write_text("x")

    with pytest.raises(DevDirectoryError, match="holds something else"):
        DevDirectory(tmp_path, NODE_IDS).open(fresh=True)

    assert (tmp_path / "a" / "precious").exists()


def test_a_second_dev_is_kept_out_of_the_same_folder(tmp_path: Path) -> None:
    """Above all from `--fresh`, which would delete under a running cluster."""
    first, second = (DevDirectory(tmp_path, NODE_IDS) for _ in range(2))
    first.open(fresh=False)

    with pytest.raises(DevDirectoryError, match="another `registry dev`"):
        second.open(fresh=True)

    first.close()
    second.close()


def test_an_unusable_folder_is_a_short_message(tmp_path: Path) -> None:
    """The path and the reason, no traceback."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(DevDirectoryError, match=r"file.*(File exists|Not a directory)"):
        DevDirectory(tmp_path / "file", NODE_IDS).open(fresh=False)


def test_a_long_log_is_set_aside_at_the_start(tmp_path: Path) -> None:
    """Months of development must not fill the disk."""
    directory = DevDirectory(tmp_path, NODE_IDS)
    directory.open(fresh=False)
    directory.log("a").write_bytes(b"x" * (LOG_BYTES_KEPT + 1))
    directory.close()
    directory.open(fresh=False)

    assert not directory.log("a").exists()
    directory.close()
