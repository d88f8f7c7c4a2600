"""What the command line says of itself."""

from collections.abc import Iterator

import click
from click.testing import CliRunner

from registry.commands.root import root


def all_commands(
    command: click.Command, name: str
) -> Iterator[tuple[str, click.Command]]:
    """Walk a command and all below it."""
    yield name, command
    if isinstance(command, click.Group):
        for sub_name, sub in command.commands.items():
            yield from all_commands(sub, f"{name} {sub_name}")


def test_the_list_of_commands_is_not_cut_at_80_columns() -> None:
    """A sentence that ends in dots tells nothing."""
    result = CliRunner().invoke(root, ["--help"], terminal_width=80)

    listed = result.output.partition("Commands:")[2]
    assert listed
    assert "..." not in listed
    assert "Make the shared key of a cluster's members." in result.output


def test_every_option_has_a_help_text() -> None:
    """A bare name leaves a new user guessing."""
    bare = [
        f"{name} {option.opts[0]}"
        for name, command in all_commands(root, "registry")
        if not name.startswith("registry config ")
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and not option.help
    ]

    assert bare == []


def test_the_version_names_the_product() -> None:
    """As the README does; the name of the package on an index is another."""
    output = CliRunner().invoke(root, ["--version"]).output

    assert output.split()[0] == "service-registry"
    assert output.split()[1][0].isdigit()
    assert len(output.split()) == 2
