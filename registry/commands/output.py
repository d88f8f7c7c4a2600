"""Writes answers to the terminal: tables for people, JSON for programs.

Names, hosts and notes come from clients, so nothing of them is taken for markup, and
control characters are shown instead of sent to the terminal.
"""

import json
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

STATUS_STYLES = {
    "healthy": "green",
    "starting": "yellow",
    "draining": "yellow",
    "unhealthy": "red",
    "leader": "bold green",
    "candidate": "yellow",
    "yes": "green",
    "no": "red",
}
UNWRAPPED_COLUMNS = 10_000


def print_json(value: object) -> None:
    """Write one JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table; cells that name a status are coloured."""
    table = make_table(columns)
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        # In a pipe there is no width to fit into: never cut or wrap an id.
        console = Console(highlight=False, width=UNWRAPPED_COLUMNS)
    console.print(table)


def make_table(columns: Sequence[str]) -> Table:
    """Make an empty table in the style of all our tables."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def cell(value: object) -> Text:
    """Render a value as harmless text."""
    text = plain(value)
    return Text(text, style=STATUS_STYLES.get(text, ""))


def plain(value: object) -> str:
    """Render a value as one line without control characters."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(plain(item) for item in value) or "-"
    if isinstance(value, dict):
        return ",".join(f"{plain(k)}={plain(v)}" for k, v in value.items()) or "-"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
