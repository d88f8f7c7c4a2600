"""`registry status`: who leads, and how far each member is."""

import click

from registry.commands.failures import CommandFailed
from registry.commands.output import plain, print_json, print_table
from registry.commands.target import ask, parse_urls, target_options

COLUMNS = ("member", "role", "http", "connected", "index", "lag", "contact")


@click.command()
@target_options
def status(url: str, output: str) -> None:
    """Show the cluster as one replica sees it.

    Ends with 1 while there is no leader or the replica has not caught up.
    """
    answer = ask(parse_urls(url), "GET", "/cluster")
    if output == "json":
        print_json(answer.body)
    else:
        for line in summary_lines(answer.body):
            click.echo(line)
        print_table(COLUMNS, member_rows(answer.body))
    if not answer.field("leader"):
        raise CommandFailed("there is no leader now")
    if answer.field("caught_up") is False:
        raise CommandFailed("this replica has not caught up yet")


def summary_lines(body: object) -> list[str]:
    """Say in a line or two what ``GET /cluster`` says of the whole."""
    if not isinstance(body, dict):
        raise CommandFailed("the answer is not one of a service registry")
    lines = [
        f"cluster {plain(body.get('cluster_id'))}, epoch {plain(body.get('epoch'))},"
        f" term {plain(body.get('term'))}, leader {plain(body.get('leader'))},"
        f" index {plain(body.get('index'))}; as seen by {plain(body.get('node_id'))}"
    ]
    if body.get("degraded"):
        lines.append(f"degraded: {plain(body['degraded'])}")
    if body.get("waiting_for"):
        lines.append(f"waiting for {plain(body['waiting_for'])}")
    return lines


def member_rows(body: object) -> list[tuple[object, ...]]:
    """Make one row per member."""
    members = body.get("members") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(members, list):
        return []
    rows: list[tuple[object, ...]] = []
    for member in members:
        if not isinstance(member, dict):
            continue
        node_id = member.get("node_id")
        age_ms = member.get("contact_age_ms")
        rows.append(
            (
                node_id,
                "leader" if node_id == body.get("leader") else "follower",
                member.get("http"),
                member.get("connected"),
                member.get("index"),
                member.get("lag"),
                None if age_ms is None else f"{age_ms} ms ago",
            )
        )
    return rows
