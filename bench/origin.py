"""How a run comes to be: its code, what makes the load, who else is measured."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.load import cores, wrk
from bench.results import Made

TOP = Path(__file__).parents[1]
VERSIONS = {"wrk": "-v", "nginx": "-v", "etcd": "--version"}
"""How each is asked for its version."""
ANSWER_S = 5.0


def made(
    arguments: tuple[str, ...], *, is_quick: bool, named: Mapping[str, str]
) -> Made:
    """Tell how the run that begins now is made; ``named`` are programs by peer."""
    versions = {
        name: version(named.get(name, name), ask) for name, ask in VERSIONS.items()
    }
    return Made(
        arguments=arguments,
        is_quick=is_quick,
        cores=cores.count(),
        generator="wrk" if wrk.is_here() else "ours",
        versions={name: found for name, found in versions.items() if found},
        load_average=os.getloadavg()[0],
    )


def version(program: str, ask: str) -> str:
    """Return the first line of what a program says of itself; "" if it is not here."""
    ended = _run(program, ask)
    if ended is None:
        return ""
    # Some write it to the one, some to the other, and wrk ends with 1.
    return next(iter((ended.stdout + ended.stderr).splitlines()), "").strip()


def commit() -> str:
    """Name the state of the code; "?" outside a clone, or where git is not here."""
    ended = _run("git", "describe", "--always", "--dirty", "--abbrev=10")
    return ("" if ended is None else ended.stdout.strip()) or "?"


def _run(*command: str) -> subprocess.CompletedProcess[str] | None:
    """Run what only tells something; None if that cannot be."""
    try:
        return subprocess.run(
            command,
            cwd=TOP,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
