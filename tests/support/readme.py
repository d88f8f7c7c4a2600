"""The README's code blocks, and a shell in which they run against a test cluster."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

TOP = Path(__file__).parents[2]
RUN_S = 60.0
_BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """Return the README's blocks of one language, in order."""
    found = _BLOCK.findall((TOP / "README.md").read_text())
    return [text for kind, text in found if kind == language]


def block_with(language: str, words: str) -> str:
    """Return the one block that contains ``words``."""
    (found,) = [text for text in blocks(language) if words in text]
    return found


def replaced(text: str, replacements: Mapping[str, str]) -> str:
    """Return the text with every word replaced; each must be there."""
    for old, new in replacements.items():
        assert old in text, f"the README no longer says {old!r}"
        text = text.replace(old, new)
    return text


class Shell:
    """bash with `registry` on its PATH, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bin = folder / "bin"
        self._bin.mkdir()
        command = self._bin / "registry"
        command.write_text(
            f'#!/bin/sh\nPYTHONPATH={TOP} exec {sys.executable} -m registry "$@"\n'
        )
        command.chmod(command.stat().st_mode | stat.S_IXUSR)

    def environment(self, **settings: str) -> dict[str, str]:
        """Return ours with the command on the PATH, and ``settings``."""
        path = f"{self._bin}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"PATH": path} | settings

    def run(self, script: str, **settings: str) -> str:
        """Run a script that must succeed; return what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment(**settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def begin(self, script: str, log: Path, **settings: str) -> subprocess.Popen[bytes]:
        """Begin a script that goes on; the caller ends it."""
        with log.open("ab") as output:
            return subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=self.folder,
                env=self.environment(**settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
