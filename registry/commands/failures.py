"""How a command ends: exit codes, and one short line instead of a traceback.

0  done
1  CommandFailed: the registry refused, or it is not well
2  WrongSetting: wrong usage or a wrong configuration
3  Unavailable: no replica could be reached or answer now; a later try may work

With ``--output json`` the line is a JSON document instead, on stderr as well: the
replica's own problem document where there is one.
"""

import json
from collections.abc import Mapping
from typing import IO

import click


class CommandFailed(click.ClickException):
    """Ends the command with a message, or with a problem document for programs."""

    exit_code = 1

    def __init__(
        self, message: str, problem: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self._problem = problem or {"detail": message}
        # Now: when it is shown, click has left the command and its options.
        context = click.get_current_context(silent=True)
        self._as_json = context is not None and context.params.get("output") == "json"

    def show(self, file: IO[str] | None = None) -> None:
        """Write it to stderr, in the form that the command was asked for."""
        if not self._as_json:
            super().show(file)
            return
        text = json.dumps(self._problem, indent=2, ensure_ascii=False)
        click.echo(text, file=file, err=True)


class WrongSetting(CommandFailed):
    """An option or a setting must be mended first."""

    exit_code = 2


class Unavailable(CommandFailed):
    """Nobody could answer."""

    exit_code = 3
