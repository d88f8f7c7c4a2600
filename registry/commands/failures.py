"""How a command ends: exit codes, and one short line instead of a traceback.

0  done
1  CommandFailed: the registry refused, or it is not well
2  WrongSetting: wrong usage or a wrong configuration
3  Unavailable: no replica could be reached or answer now; a later try may work
"""

import click


class CommandFailed(click.ClickException):
    """Ends the command with a message."""

    exit_code = 1


class WrongSetting(CommandFailed):
    """An option or a setting must be mended first."""

    exit_code = 2


class Unavailable(CommandFailed):
    """Nobody could answer."""

    exit_code = 3
