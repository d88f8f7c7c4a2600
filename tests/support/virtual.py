"""Runs a coroutine test in virtual time: a second costs nothing, no clock is real."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from tests.support.sim_loop import SimLoop


def virtually(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make ``test`` an ordinary function that runs on a loop in virtual time."""

    @functools.wraps(test)
    def run() -> None:
        loop = SimLoop()
        try:
            loop.run_until_complete(test())
        finally:
            loop.close()

    return run
