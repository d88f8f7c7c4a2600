"""What `registry dev` shows: a live table on a terminal, else a line per change.

Values in, text out; it asks nobody and knows no process.
"""

import io
import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from registry.commands.dev_cluster import Member, MemberState
from registry.commands.output import cell, make_table, plain

COLUMNS = ("", "state", "term", "index", "http", "raft", "pid")
COLUMN_GAP = 2
LAST_LINES = 5
LAST_LINES_ON_SCREEN = 2
BRING_BACK = "to bring the dead back: ctrl-C and make run again"
LogTail = Callable[[str, int], list[str]]


def leader_of(states: Sequence[MemberState]) -> str | None:
    """Who leads in the newest term that any replica tells of; None if nobody does."""
    claims = [
        (int(str(s.cluster.get("term", 0))), s.member.node_id)
        for s in states
        if s.cluster is not None and s.cluster.get("role") == "leader"
    ]
    return max(claims)[1] if claims else None


def is_ready(states: Sequence[MemberState]) -> bool:
    """Everyone runs and has caught up, and one leads."""
    return leader_of(states) is not None and all(
        s.phase in ("leader", "follower") for s in states
    )


def try_lines(members: Sequence[Member]) -> list[str]:
    """Commands to copy: write through one replica, read through another."""
    write, read = (member.url.removeprefix("http://") for member in members[:2])
    body = '{"name":"web","host":"127.0.0.1","port":9000}'
    return [f"curl {write}/register -d '{body}'", f"curl {read}/services/web"]


def screen(
    states: Sequence[MemberState],
    data_dir: Path,
    log_tail: LogTail,
    *,
    size: tuple[int, int],
) -> RenderableType:
    """Draw the whole view into so many columns and lines.

    What is too high is cut by the terminal from below, and there stand the lines to
    copy: so the last words of the dead get what room is left by everything else.
    """
    width, height = size
    above: list[RenderableType] = [
        Text("service-registry, a local cluster of three", style="bold"),
        Text(""),
        member_table(states, width),
        Text(""),
        headline(states),
    ]
    if down(states):
        above.append(Text(BRING_BACK, style="yellow", overflow="fold"))
    commands = [
        part
        for line in try_lines(_living_first(states))
        for part in shell_lines(line, width)
    ]
    below: list[RenderableType] = [
        Text(""),
        *(Text(line, style="cyan", overflow="fold") for line in commands),
        Text(f"data and logs: {data_dir}", style="dim", overflow="fold"),
        Text("ctrl-C stops all", style="dim"),
    ]
    taken = sum(_height(part, width) for part in above + below)
    return Group(*above, *_last_words_of_all(states, log_tail, height - taken), *below)


def member_table(states: Sequence[MemberState], width: int) -> Table:
    """Draw a row per replica, without the columns for which there is no room."""
    rows = [
        (
            state.member.node_id,
            state.phase,
            plain((state.cluster or {}).get("term")),
            plain((state.cluster or {}).get("index")),
            state.member.url,
            f"127.0.0.1:{state.member.raft_port}",
            str(state.pid),
        )
        for state in states
    ]
    kept = list(range(len(COLUMNS)))
    for name in ("raft", "pid", "index", "term"):
        widths = [max(len(row[i]) for row in [COLUMNS, *rows]) for i in kept]
        if sum(widths) + COLUMN_GAP * (len(kept) - 1) <= width:
            break
        kept.remove(COLUMNS.index(name))
    table = make_table([COLUMNS[i] for i in kept])
    table.columns[0].style = "bold"
    for row in rows:
        table.add_row(*(cell(row[i]) for i in kept))
    return table


def shell_lines(line: str, width: int) -> list[str]:
    """Break a command so that it can be copied as it stands, whatever the width."""
    command, option, rest = line.partition(" -d ")
    if len(line) <= width or not option:
        return [line]
    return [f"{command} \\", f"-d {rest}"]


def _living_first(states: Sequence[MemberState]) -> list[Member]:
    """Order them so that a copied command goes to one that can answer."""
    ordered = sorted(states, key=lambda state: state.exit_code is not None)
    return [state.member for state in ordered]


def down(states: Sequence[MemberState]) -> list[MemberState]:
    """Return those whose process has ended."""
    return [state for state in states if state.exit_code is not None]


def headline(states: Sequence[MemberState]) -> Text:
    """Say in one line how the cluster is."""
    dead, total = len(down(states)), len(states)
    if dead * 2 > total:
        text = f"{dead} of {total} are down: no writes until one is back"
        return Text(text, style="red")
    leader = leader_of(states)
    if leader is None:
        return Text("nobody leads at the moment", style="yellow")
    if not is_ready(states):
        return Text(f"{leader} leads; not all are there", style="yellow")
    return Text(f"ready, {leader} leads", style="green")


def change_lines(
    before: Sequence[MemberState], now: Sequence[MemberState], log_tail: LogTail
) -> list[str]:
    """Tell what changed between two looks; for a stdout that is no terminal."""
    lines = []
    old_phases = {s.member.node_id: s.phase for s in before}
    for state in now:
        node_id = state.member.node_id
        if state.phase == old_phases.get(node_id):
            continue
        term = plain((state.cluster or {}).get("term"))
        where = f" in term {term}" if state.cluster else ""
        lines.append(f"{node_id} ({state.member.url}): {state.phase}{where}")
        lines += [f"  {line}" for line in last_words(state, log_tail, LAST_LINES)]
    if len(down(now)) > max(len(now) // 2, len(down(before))):
        lines.append(headline(now).plain)
        lines.append(BRING_BACK)
    if is_ready(now) and not is_ready(before):
        lines.append(f"ready, {leader_of(now)} leads; try:")
        lines += [f"  {line}" for line in try_lines([s.member for s in now])]
    return lines


def last_words(state: MemberState, log_tail: LogTail, lines: int) -> list[str]:
    """Return the end of a dead one's log, JSON lines shortened to their message.

    Nothing of one that was killed: it had no time to say why, so its log ends with
    whatever it did before, and would be taken for the reason.
    """
    if state.exit_code is None or state.exit_code == -signal.SIGKILL:
        return []
    return [_shorten(line) for line in log_tail(state.member.node_id, lines)]


def _last_words_of_all(
    states: Sequence[MemberState], log_tail: LogTail, room: int
) -> list[RenderableType]:
    """Give each dead one a title and some lines, none longer than the screen."""
    said = [
        (state, words)
        for state in states
        if (words := last_words(state, log_tail, LAST_LINES_ON_SCREEN))
    ]
    each = min(room // max(len(said), 1) - 1, LAST_LINES_ON_SCREEN)
    if each < 1:
        return []
    parts: list[RenderableType] = []
    for state, words in said:
        parts.append(Text(f"{state.member.node_id} {state.phase}:", style="red"))
        parts += [
            Text(f"  {line}", no_wrap=True, overflow="ellipsis")
            for line in words[-each:]
        ]
    return parts


def _height(part: RenderableType, width: int) -> int:
    console = Console(width=width, file=io.StringIO())
    return len(console.render_lines(part, pad=False))


def _shorten(line: str) -> str:
    try:
        event = json.loads(line)
        fields = {
            key: value
            for key, value in event.items()
            if key not in ("timestamp", "level", "service", "message", "node_id")
        }
        text = f"{event['level']}: {event['message']}"
        if "exception" in fields:
            text += f": {str(fields.pop('exception')).strip().splitlines()[-1]}"
        rest = " ".join(f"{key}={value}" for key, value in fields.items())
        line = f"{text} {rest}".rstrip()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        pass
    return plain(line)[:400]
