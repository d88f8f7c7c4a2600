"""`registry config`: check it, show it with its sources, list what there is to set."""

import os
from pathlib import Path

import click

from registry.commands.failures import WrongSetting
from registry.commands.output import print_json, print_table
from registry.config import ConfigMistakes, Loaded
from registry.config_sources import load
from registry.config_table import SETTINGS, default_of, render, value_of

HIDDEN = "(hidden)"

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="JSON file; default: config/service_registry.json, if there is one.",
)


def load_or_fail(config_file: Path | None) -> Loaded:
    """Load the configuration; WrongSetting lists every mistake."""
    try:
        return load(os.environ, config_file=config_file)
    except ConfigMistakes as error:
        raise WrongSetting(_listed(error.mistakes, error.warnings)) from None


@click.group()
def config() -> None:
    """Check and show the configuration that `serve` would use."""


@config.command()
@config_option
def check(config_file: Path | None) -> None:
    """Say all that is wrong: unknown names, unreadable keys, folders in the way."""
    loaded = load_or_fail(config_file)
    # Late: only this command and `serve` need anything of the server.
    from registry import checking
    from registry.replication import unusable_files

    mistakes = [
        *loaded.warnings,
        *unusable_files(loaded.config.cluster),
        *checking.unusable_files(loaded.config.health_check),
    ]
    if mistakes:
        raise WrongSetting(_listed(mistakes, []))
    click.echo("the configuration is good")


@config.command()
@config_option
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)
def show(config_file: Path | None, output: str) -> None:
    """Show each value and where it comes from; secrets are hidden."""
    loaded = load_or_fail(config_file)
    rows = shown_values(loaded)
    if output == "json":
        print_json({n: {"value": v, "source": s} for n, v, s in rows})
    else:
        # As one would write it in the file, not as yes and no.
        written = [
            (n, str(v).lower() if isinstance(v, bool) else v, s) for n, v, s in rows
        ]
        print_table(("setting", "value", "source"), written)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)


@config.command()
def reference() -> None:
    """Print all settings as a Markdown table (the one in the README)."""
    for line in reference_lines():
        click.echo(line)


def shown_values(loaded: Loaded) -> list[tuple[str, object, str]]:
    """Make rows of name, value and source."""
    rows = []
    for setting in SETTINGS:
        value = render(value_of(loaded.config, setting.name))
        shown = HIDDEN if setting.secret and value else value
        rows.append((setting.name, shown, loaded.origins[setting.name]))
    return rows


def reference_lines() -> list[str]:
    """Make the lines of the Markdown table of all settings."""
    lines = ["| file | environment | default | meaning |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = render(default_of(setting.name))
        if isinstance(default, bool):
            default = str(default).lower()
        env = f"`{setting.env}`" if setting.env else ""
        shown = f"`{default}`" if default not in ("", {}) else ""
        lines.append(f"| `{setting.name}` | {env} | {shown} | {setting.help} |")
    return lines


def _listed(mistakes: list[str], warnings: list[str]) -> str:
    lines = [*mistakes, *(f"(warning) {w}" for w in warnings)]
    plural = "s" if len(mistakes) > 1 else ""
    return f"{len(mistakes)} mistake{plural} in the configuration\n  " + "\n  ".join(
        lines
    )
