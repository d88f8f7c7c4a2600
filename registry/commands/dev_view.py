"""What `registry dev` shows: a live table on a terminal, else a line per change.

Values in, text out; it asks nobody and knows no process.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from registry.commands.dev_cluster import Member, MemberState
from registry.commands.output import cell, make_table, plain

COLUMNS = ("", "state", "term", "index", "http", "raft", "pid")
LAST_LINES = 5
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
    body = '{"name": "hello", "host": "127.0.0.1", "port": 9000}'
    return [
        f"curl {members[0].url}/register -d '{body}'",
        f"curl {members[1].url}/services/hello",
    ]


def screen(
    states: Sequence[MemberState], data_dir: Path, log_tail: LogTail
) -> RenderableType:
    """Draw the whole view."""
    table = make_table(COLUMNS)
    for state in states:
        known = state.cluster or {}
        table.add_row(
            Text(state.member.node_id, style="bold"),
            cell(state.phase),
            cell(known.get("term")),
            cell(known.get("index")),
            cell(state.member.url),
            cell(f"127.0.0.1:{state.member.raft_port}"),
            cell(state.pid),
        )
    parts: list[RenderableType] = [
        Text("service-registry, a local cluster of three", style="bold"),
        Text(""),
        table,
        Text(""),
        headline(states),
    ]
    for state in states:
        if state.exit_code is not None:
            parts.append(Text(f"{state.member.node_id} {state.phase}:", style="red"))
            parts += [Text(f"  {line}") for line in last_words(state.member, log_tail)]
    parts.append(Text(""))
    parts += [
        Text(line, style="cyan", no_wrap=True, overflow="ignore")
        for line in try_lines([s.member for s in states])
    ]
    parts.append(Text(f"data and logs: {data_dir}   ctrl-C stops all", style="dim"))
    return Group(*parts)


def headline(states: Sequence[MemberState]) -> Text:
    """Say in one line how the cluster is."""
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
        if state.exit_code is not None:
            lines += [f"  {line}" for line in last_words(state.member, log_tail)]
    if is_ready(now) and not is_ready(before):
        lines.append(f"ready, {leader_of(now)} leads; try:")
        lines += [f"  {line}" for line in try_lines([s.member for s in now])]
    return lines


def last_words(member: Member, log_tail: LogTail) -> list[str]:
    """Return the end of a member's log, JSON lines shortened to their message."""
    return [_shorten(line) for line in log_tail(member.node_id, LAST_LINES)]


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
