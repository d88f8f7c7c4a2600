"""What `registry dev` shows: its screen at any size, and its lines per change."""

import io
import shlex
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from registry.commands.dev_cluster import Member, MemberState, plan
from registry.commands.dev_view import (
    BRING_BACK,
    change_lines,
    headline,
    is_ready,
    last_words,
    leader_of,
    screen,
    shell_lines,
    try_lines,
)

MEMBERS = plan(8100)
WRITE, READ = try_lines(MEMBERS)


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


def long_log(_node_id: str, lines: int) -> list[str]:
    """Stand for logs of lines that no terminal holds."""
    return [f"line {i} " + "x" * 300 for i in range(20)][-lines:]


def shown(
    states: Sequence[MemberState], *, width: int = 80, height: int = 24
) -> list[str]:
    """Return the lines of the screen, as a terminal of that size gets them."""
    out = io.StringIO()
    view = screen(states, Path("/data/dev"), long_log, size=(width, height))
    Console(width=width, file=out).print(view)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    return lines


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
    assert any("curl 127.0.0.1:8100/register" in line for line in lines)
    assert change_lines(ready, ready, no_log) == []


def test_a_dead_child_is_shown_with_its_last_words() -> None:
    """Its message, not a line of raw JSON; plain text stays as it is."""
    log = [
        '{"timestamp": "t", "level": "error", "service": "s", "message": "Disk full",'
        ' "path": "/x"}',
        "ImportError: no\x1b[2J",
        "[5]",
    ]
    dead = state(MEMBERS[0], exit_code=1)
    alive = states("leader", "follower", "follower")

    assert last_words(dead, lambda _id, _n: log, 5) == [
        "error: Disk full path=/x", r"ImportError: no\x1b[2J", "[5]",
    ]  # fmt: skip
    lines = change_lines(alive, (dead, *alive[1:]), lambda _id, _n: log)
    assert lines[0].endswith("exited (1)")
    assert "  error: Disk full path=/x" in lines


def test_a_killed_child_has_no_last_words() -> None:
    """Its log ends with something else than the reason of its end."""
    killed = state(MEMBERS[0], exit_code=-signal.SIGKILL)
    alive = states("leader", "follower", "follower")
    now = (killed, *alive[1:])

    assert last_words(killed, long_log, 5) == []
    assert change_lines(alive, now, long_log) == [
        "a (http://127.0.0.1:8100): exited (SIGKILL)"
    ]
    assert not any("line 19" in line for line in shown(now))


def test_the_screen_shows_every_member() -> None:
    """Who leads, term, index, addresses, lines to try."""
    text = "\n".join(shown(states("leader", "follower", ""), width=120))

    for words in ("http://127.0.0.1:8120", "leader", "starting", "127.0.0.1:8101"):
        assert words in text
    assert WRITE in text
    assert READ in text


@pytest.mark.parametrize("base_port", [8100, 65_000])
def test_lines_to_copy_are_whole_at_80_columns(base_port: int) -> None:
    """Half a command cannot be copied."""
    members = plan(base_port)
    lines = shown([state(member, "follower") for member in members])

    assert set(try_lines(members)) <= set(lines)


def test_a_narrow_terminal_breaks_a_command_as_a_shell_does() -> None:
    """Copied over two lines it is still the same command."""
    lines = shown(states("leader", "follower", "follower"), width=60)
    first = next(i for i, line in enumerate(lines) if line.startswith("curl"))

    assert lines[first : first + 2] == shell_lines(WRITE, 60)
    joined = "".join(lines[first : first + 2]).replace("\\", "")
    assert shlex.split(joined) == shlex.split(WRITE)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 24), (80, 16)])
def test_with_two_dead_everything_else_is_in_sight(width: int, height: int) -> None:
    """The terminal cuts from below, where the lines to copy stand."""
    dead = [state(member, exit_code=1) for member in MEMBERS[:2]]
    lines = shown([*dead, state(MEMBERS[2], "follower")], width=width, height=height)

    assert len(lines) <= height
    assert "2 of 3 are down: no writes until one is back" in lines
    assert BRING_BACK in lines
    assert "data and logs: /data/dev" in lines
    assert any(line.startswith("curl 127.0.0.1:8120/register") for line in lines)
    assert "curl 127.0.0.1:8100/services/web" in lines
    room_for_all = height >= 24
    assert sum("line 19" in line for line in lines) == (2 if room_for_all else 0)
    assert sum("line 18" in line for line in lines) == (2 if room_for_all else 0)
    assert not any("line 17" in line for line in lines)


def test_no_address_is_broken_in_a_narrow_terminal() -> None:
    """The Raft column goes first: nobody copies from it."""
    dead = state(plan(65_000)[0], exit_code=-signal.SIGKILL)
    living = [state(member, "follower") for member in plan(65_000)[1:]]
    wide, narrow = (shown([dead, *living], width=width) for width in (100, 60))

    assert any("127.0.0.1:65001" in line for line in wide)
    assert not any("raft" in line or "127.0.0.1:65001" in line for line in narrow)
    for port in (65_000, 65_010, 65_020):
        assert any(f" http://127.0.0.1:{port}" in line for line in narrow)


def test_a_lost_majority_is_told_in_plain_output_once() -> None:
    """Else a log of CI ends with a cluster that hangs for no reason."""
    alive = states("leader", "follower", "follower")
    one = (state(MEMBERS[0], exit_code=1), *alive[1:])
    two = (*one[:1], state(MEMBERS[1], exit_code=1), *alive[2:])
    told = "2 of 3 are down: no writes until one is back"

    assert told not in change_lines(alive, one, no_log)
    assert change_lines(one, two, no_log)[-2:] == [told, BRING_BACK]
    assert change_lines(two, two, no_log) == []
