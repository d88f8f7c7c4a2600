"""`registry dev` without its processes: layout, environment, folder, words."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from registry.commands.dev_cluster import (
    NODE_IDS,
    Member,
    MemberState,
    child_environment,
    plan,
)
from registry.commands.dev_directory import (
    LOG_BYTES_KEPT,
    DevDirectory,
    DevDirectoryError,
)
from registry.commands.dev_view import (
    change_lines,
    headline,
    is_ready,
    last_words,
    leader_of,
    screen,
)
from registry.config_sources import load

MEMBERS = plan(8100)


def state(
    member: Member, role: str = "", *, term: int = 1, exit_code: int | None = None
) -> MemberState:
    """Make the state of one member; no role: it does not answer yet."""
    cluster = {"role": role, "term": term, "index": 7, "caught_up": True}
    return MemberState(member, 1, exit_code, cluster if role else None)


def states(*roles: str) -> tuple[MemberState, ...]:
    """Make the states of all three."""
    return tuple(state(m, role) for m, role in zip(MEMBERS, roles, strict=True))


def no_log(_node_id: str, _lines: int) -> list[str]:
    """Stand for empty logs."""
    return []


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


def test_the_leader_is_the_one_of_the_newest_term() -> None:
    """A leader that was cut off may still take itself for one."""
    a, b, c = MEMBERS
    seen = [state(a, "leader", term=1), state(b, "leader", term=2), state(c)]

    assert leader_of(seen) == "b"
    assert leader_of(states("follower", "", "")) is None


def test_ready_means_everyone_is_there() -> None:
    """The promise of the headline."""
    assert is_ready(states("leader", "follower", "follower"))
    assert not is_ready(states("leader", "follower", ""))
    assert headline(states("follower", "follower", "")).plain.startswith("nobody")
    assert "not all are there" in headline(states("leader", "follower", "")).plain


def test_plain_output_has_one_line_per_change() -> None:
    """For CI logs: nothing is repeated while nothing happens."""
    starting = states("", "", "")
    ready = states("leader", "follower", "follower")

    assert len(change_lines((), starting, no_log)) == 3
    assert change_lines(starting, starting, no_log) == []
    lines = change_lines(starting, ready, no_log)
    assert "a (http://127.0.0.1:8100): leader in term 1" in lines
    assert any("curl http://127.0.0.1:8100/register" in line for line in lines)
    assert change_lines(ready, ready, no_log) == []


def test_a_dead_child_is_shown_with_its_last_words() -> None:
    """Its message, not a line of raw JSON; plain text stays as it is."""
    log = [
        '{"timestamp": "t", "level": "error", "service": "s", "message": "Disk full",'
        ' "path": "/x"}',
        "ImportError: no\x1b[2J",
        "[5]",
    ]
    dead = state(MEMBERS[0], exit_code=-9)
    alive = states("leader", "follower", "follower")

    assert last_words(MEMBERS[0], lambda _id, _n: log) == [
        "error: Disk full path=/x", r"ImportError: no\x1b[2J", "[5]",
    ]  # fmt: skip
    lines = change_lines(alive, (dead, *alive[1:]), lambda _id, _n: log)
    assert lines[0].endswith("exited (SIGKILL)")
    assert "  error: Disk full path=/x" in lines


def test_the_screen_shows_every_member() -> None:
    """Who leads, term, index, addresses, a line to try."""
    out = io.StringIO()
    console = Console(width=120, file=out)
    console.print(screen(states("leader", "follower", ""), Path("/d"), no_log))
    text = out.getvalue()

    for words in (
        "http://127.0.0.1:8120",
        "leader",
        "starting",
        "127.0.0.1:8101",
        "curl",
    ):
        assert words in text
