"""`registry history`: what befell the instances of one service, and why."""

from urllib.parse import quote

import click

from registry.commands.output import print_json, print_table
from registry.commands.target import ask, parse_urls, target_options

COLUMNS = ("at", "service_id", "address", "from", "to", "cause")


@click.command()
@click.argument("name")
@target_options
def history(name: str, url: str, output: str) -> None:
    """Show the last 50 changes of a service's instances, newest first."""
    answer = ask(parse_urls(url), "GET", f"/services/{quote(name, safe='')}/history")
    if output == "json":
        print_json(answer.body)
        return
    lines = answer.field("history")
    rows = [
        (
            line.get("at"),
            line.get("service_id"),
            f"{line.get('host')}:{line.get('port')}",
            line.get("from"),
            line.get("to"),
            line.get("cause"),
        )
        for line in (lines if isinstance(lines, list) else [])
        if isinstance(line, dict)
    ]
    if rows:
        print_table(COLUMNS, rows)
    else:
        click.echo(f"{name!r}: nothing is remembered; see `registry why`")
