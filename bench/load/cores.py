"""Which cores a measurement uses: servers the first, the load the last of ours.

A load on the core of its server would take from it what is to be measured. With one
core both share it. Only Linux can keep a process on a core; elsewhere nothing happens.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def _allowed() -> list[int]:
    if sys.platform != "linux":
        return [0]
    return sorted(os.sched_getaffinity(0))


def count() -> int:
    """Return how many cores this process may use; also where it cannot choose."""
    return len(ALL) if sys.platform == "linux" else os.cpu_count() or 1


ALL = frozenset(_allowed())
"""Those this process may use, seen when it began."""
SERVER = min(ALL)
LOAD = max(ALL)


def pin(pids: Iterable[int], cores: Iterable[int]) -> None:
    """Keep processes, with all their threads, on these cores."""
    if sys.platform != "linux":
        return
    wanted = set(cores)
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            try:
                os.sched_setaffinity(int(task.name), wanted)
            except ProcessLookupError:
                continue  # a thread that has just ended


def pin_self(core: int | None) -> None:
    """Keep this process on a core, if one is named."""
    if core is not None:
        pin([os.getpid()], [core])


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this process, which is the load meanwhile, on the core of the servers.

    Then what neighbours do on other cores decides nothing: how many requests a server
    finds when it is woken would depend on who is woken faster, and their cost on that.
    """
    pin_self(SERVER)
    try:
        yield
    finally:
        pin([os.getpid()], ALL)
