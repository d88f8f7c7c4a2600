"""Starting the processes of peers, and ending them however the measurement ends."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from bench.load.cores import pin
from bench.peers.peer import NotHere, Setting
from tests.support.process_http import try_ask
from tests.support.process_ports import LOOPBACK, ReservedPorts
from tests.support.process_replica import TOP, environment
from tests.support.waiting import wait_until

END_S = 15.0
READY_S = 10.0
SHOWN_BYTES = 500


def program(setting: Setting, name: str, *, on_path: str = "") -> str:
    """Return the program of a peer. Raises NotHere if there is none."""
    named = setting.named.get(name, "")
    found = which(named or on_path or name)
    if found is None:
        raise NotHere(f"{name}: there is no program {named or on_path or name}")
    return found


@contextmanager
def ports(count: int) -> Iterator[list[int]]:
    """Reserve free ports of loopback."""
    reserved = ReservedPorts()
    try:
        yield [reserved.take() for _ in range(count)]
    finally:
        reserved.close()


@contextmanager
def process(
    name: str,
    command: Sequence[str],
    folder: Path,
    cores: frozenset[int],
    settings: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run a server on these cores; give its pid. Its words go to a file in ``folder``.

    What it starts itself begins on the same cores. Raises NotHere if it is no program.
    """
    log = folder / "log"
    with log.open("wb") as words:
        try:
            started = subprocess.Popen(
                command,
                cwd=TOP,
                env=environment(settings or {}),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise NotHere(f"{name}: it cannot be started ({error})") from error
    try:
        pin([started.pid], cores)
        yield started.pid
    finally:
        started.terminate()
        try:
            started.wait(END_S)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait(END_S)


def wait_answers(name: str, pid: int, port: int, path: str, folder: Path) -> str:
    """Wait until a server answers; return its URL. NotHere shows its last words."""
    url = f"http://{LOOPBACK}:{port}"

    def is_answering() -> bool:
        if _has_ended(pid):
            raise NotHere(f"{name}: it ended at once{_last_words(folder)}")
        return try_ask(url, path) is not None

    try:
        wait_until(is_answering, f"an answer at {path}", deadline_s=READY_S)
    except AssertionError as error:
        raise NotHere(f"{name}: {error}{_last_words(folder)}") from error
    return url


def _has_ended(pid: int) -> bool:
    """Whether a process of ours has; it can still be waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _last_words(folder: Path) -> str:
    text = (folder / "log").read_bytes()[-SHOWN_BYTES:].decode(errors="replace")
    return f"; it said: {' '.join(text.split())}" if text.strip() else ""


def with_children(pid: int) -> tuple[int, ...]:
    """Return a process and those that it started (Linux)."""
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.exists():
        return (pid,)
    texts = [(task / "children").read_text() for task in tasks.iterdir()]
    return (pid, *(int(child) for text in texts for child in text.split()))
