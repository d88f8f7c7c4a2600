"""`registry drain` and `undrain`: out of the list on purpose, and back."""

from urllib.parse import quote

import click

from registry.commands.failures import WrongSetting
from registry.commands.output import print_json
from registry.commands.target import ask, parse_urls, target_options

HOST_HELP = "Instead of an id: every instance on this host."


@click.command()
@click.argument("service_id", required=False)
@click.option("--host", help=HOST_HELP)
@click.option("--reason", default="", help="Shown to whoever asks why.")
@click.option(
    "--for",
    "--seconds",
    "seconds",
    type=click.IntRange(min=1),
    help="In seconds. Default: until undrained.",
)
@target_options
def drain(
    service_id: str | None, host: str | None, reason: str, seconds: int | None,
    url: str, output: str,
) -> None:  # fmt: skip
    """Take an instance, or a host's, out of the list; it stays known."""
    body: dict[str, object] = {"reason": reason} if reason else {}
    if seconds is not None:
        body["seconds"] = seconds
    _send(service_id, host, "drain", body, url=url, output=output)


@click.command()
@click.argument("service_id", required=False)
@click.option("--host", help=HOST_HELP)
@target_options
def undrain(service_id: str | None, host: str | None, url: str, output: str) -> None:
    """Put an instance, or a host's, back into the list."""
    _send(service_id, host, "undrain", {}, url=url, output=output)


def _send(
    service_id: str | None, host: str | None, verb: str, body: dict[str, object],
    *, url: str, output: str,
) -> None:  # fmt: skip
    if bool(service_id) == bool(host):
        raise WrongSetting("name either a SERVICE_ID or --host HOST")
    kind, target = ("instances", service_id) if service_id else ("hosts", host)
    path = f"/{kind}/{quote(target or '', safe='')}/{verb}"
    answer = ask(parse_urls(url), "POST", path, body)
    if output == "json":
        print_json(answer.body)
    elif host:
        click.echo(f"{host}: {answer.field(f'{verb}ed')} instances {verb}ed")
    else:
        click.echo(f"{target} {verb}ed")
