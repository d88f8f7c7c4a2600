"""Waiting for a condition, under a deadline, in tests with real processes."""

import time
from collections.abc import Callable

LOOK_EVERY_S = 0.02


def wait_until(
    condition: Callable[[], bool], what: str, *, deadline_s: float = 20.0
) -> None:
    """Return once ``condition`` holds; AssertionError names ``what`` did not come."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, f"{what} did not come within {deadline_s} s"
        time.sleep(LOOK_EVERY_S)
