"""`registry services`, `register` and `deregister`: the catalog by hand."""

from urllib.parse import quote, urlencode
from uuid import uuid4

import click

from registry.commands.failures import CommandFailed, WrongSetting
from registry.commands.output import plain, print_json, print_table
from registry.commands.target import ask, parse_urls, target_options

PAGE = 1000
MAX_PAGES = 1000
INSTANCE_COLUMNS = (
    "service_id", "address", "status", "zone", "weight", "version", "tags",
    "last heartbeat",
)  # fmt: skip


@click.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Also what is not healthy.")
@target_options
def services(name: str | None, every: bool, url: str, output: str) -> None:
    """List the services, or the instances of one."""
    urls = parse_urls(url)
    if name is None:
        listed = _all_services(urls)
        if output == "json":
            print_json({"services": listed})
        else:
            print_table(
                ("service", "instances", "healthy"),
                [
                    (s.get("service_name"), s.get("instances"), s.get("healthy"))
                    for s in listed
                ],
            )
        return
    query = "?status=all" if every else ""
    answer = ask(urls, "GET", f"/services/{quote(name, safe='')}{query}")
    if output == "json":
        print_json(answer.body)
        return
    rows = [
        (
            i.get("service_id"),
            f"{i.get('host')}:{i.get('port')}",
            i.get("status"),
            i.get("zone"),
            i.get("weight"),
            i.get("version"),
            i.get("tags"),
            i.get("last_heartbeat"),
        )
        for i in _objects(answer.field("instances"))
    ]
    if rows:
        print_table(INSTANCE_COLUMNS, rows)
    else:
        click.echo(_why_none(urls, name, every=every))


@click.command()
@click.argument("name")
@click.argument("host")
@click.argument("port", type=click.IntRange(1, 65535))
@click.option("--id", "service_id", default="", help="Default: a new one.")
@click.option("--health-endpoint", default="", help="Path that is checked, as /health.")
@click.option("--tag", "tags", multiple=True, help="May be given several times.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Also several.")
@click.option("--zone", default="", help="Where it runs, for clients to choose by.")
@click.option("--version", default="", help="Its version, as clients shall see it.")
@click.option(
    "--weight", type=click.IntRange(min=0), help="Its share among the instances."
)
@click.option(
    "--ttl", "ttl_seconds", type=click.FloatRange(min=0), help="Seconds; 0: permanent."
)
@target_options
def register(
    name: str, host: str, port: int, service_id: str, health_endpoint: str,
    tags: tuple[str, ...], metadata: tuple[str, ...], zone: str, version: str,
    weight: int | None, ttl_seconds: float | None, url: str, output: str,
) -> None:  # fmt: skip
    """Register an instance and print its service id."""
    optional: dict[str, object] = {
        "health_endpoint": health_endpoint,
        "tags": list(tags),
        "metadata": parse_metadata(metadata),
        "zone": zone,
        "version": version,
    }
    body: dict[str, object] = {"name": name, "host": host, "port": port}
    # Our own id makes the request one that may be sent to the next replica again.
    body["service_id"] = service_id or str(uuid4())
    body |= {key: value for key, value in optional.items() if value}
    if weight is not None:
        body["weight"] = weight
    if ttl_seconds is not None:
        body["ttl_seconds"] = ttl_seconds
    answer = ask(parse_urls(url), "POST", "/register", body)
    if output == "json":
        print_json(answer.body)
    else:
        click.echo(answer.field("service_id"))


@click.command()
@click.argument("service_id")
@target_options
def deregister(service_id: str, url: str, output: str) -> None:
    """End one registration."""
    path = f"/deregister/{quote(service_id, safe='')}"
    answer = ask(parse_urls(url), "DELETE", path, absent=404)
    if answer.status == 404 and not answer.repeated:
        raise CommandFailed(f"{service_id} is not registered", answer.document())
    if output == "json":
        print_json({"service_id": service_id, "status": "deregistered"})
    else:
        click.echo(f"{service_id} deregistered")


def parse_metadata(pairs: tuple[str, ...]) -> dict[str, str]:
    """Split KEY=VALUE pairs. Raises CommandFailed."""
    parsed: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise WrongSetting(f"--metadata {pair!r} must be KEY=VALUE")
        parsed[key] = value
    return parsed


def _all_services(urls: list[str]) -> list[dict[str, object]]:
    """Read the list page by page; a page that brings nothing new ends it."""
    listed: list[dict[str, object]] = []
    after = ""
    for _ in range(MAX_PAGES):
        query = urlencode({"limit": PAGE} | ({"after": after} if after else {}))
        page = _objects(ask(urls, "GET", f"/services?{query}").field("services"))
        listed += page
        last = str(page[-1].get("service_name", "")) if page else ""
        if len(page) < PAGE or last <= after:
            break
        after = last
    return listed


def _why_none(urls: list[str], name: str, *, every: bool) -> str:
    """Tell a name that nobody uses from a service that nobody can be sent to."""
    path = f"/services/{quote(name, safe='')}?status=all"
    found = [] if every else _objects(ask(urls, "GET", path).field("instances"))
    shown = plain(name)
    if not found:
        return f"{shown}: unknown; nothing is registered under this name"
    return f"{shown}: 0 of {len(found)} healthy; --all shows them"


def _objects(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise CommandFailed("the answer is not one of a service registry")
    return [item for item in value if isinstance(item, dict)]
