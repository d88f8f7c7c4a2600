"""`registry status`: who leads, and how far each member is."""

import click

from registry.commands.failures import CommandFailed
from registry.commands.output import plain, print_json, print_table
from registry.commands.target import ask, parse_urls, target_options

COLUMNS = ("member", "role", "http", "connected", "index", "lag", "contact")
AGE_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
AGE_UNITS_FROM = 2
"""90 s says more than 1 min."""


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
        detail = "there is no leader now"
        raise CommandFailed(detail, {"detail": detail, "code": "no_leader"})
    if answer.field("caught_up") is False:
        detail = "this replica has not caught up yet"
        raise CommandFailed(detail, {"detail": detail, "code": "not_caught_up"})


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
    """Make one row per member; what is only remembered of one is not told as known."""
    members = body.get("members") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(members, list):
        return []
    rows: list[tuple[object, ...]] = []
    for member in members:
        if not isinstance(member, dict):
            continue
        connected = member.get("connected")
        rows.append(
            (
                member.get("node_id"),
                _role(member, body),
                member.get("http"),
                connected,
                member.get("index"),
                # Of one that is not heard the index is old, and so is the distance.
                member.get("lag") if connected is True else None,
                age(member.get("contact_age_ms")),
            )
        )
    return rows


def age(age_ms: object) -> str | None:
    """Say for people how long ago something was; None if it never was."""
    if isinstance(age_ms, bool) or not isinstance(age_ms, int | float):
        return None
    seconds = int(age_ms / 1000)
    if seconds < 1:
        return "< 1 s ago"
    for length_s, unit in AGE_UNITS:
        if seconds >= AGE_UNITS_FROM * length_s:
            return f"{seconds // length_s} {unit} ago"
    return f"{seconds} s ago"


def _role(member: dict[str, object], body: dict[str, object]) -> object:
    node_id = member.get("node_id")
    if node_id == body.get("node_id"):
        return body.get("role")
    if member.get("connected") is not True:
        return None
    return "leader" if node_id == body.get("leader") else "follower"
