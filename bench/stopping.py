"""Ending by a signal as by Ctrl-C: in order, once, and without a traceback.

Left alone SIGTERM and SIGHUP end a process where it stands: servers that it started go
on, and so do its temporary folders. Here each of the three becomes an exception, which
passes through every ``finally`` on its way out.
"""

import os
import signal
import stat
import time
from collections.abc import Callable
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_S = 20.0
"""For the ends of what was started: a signal meanwhile would leave the rest behind."""
OUTPUTS = (1, 2)


class Stopped(KeyboardInterrupt):
    """A signal came. Of this kind, because loops let only such exceptions through."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number
        """The exit code, as shells tell it."""


def in_order(main: Callable[[], int], told: str = "") -> int:
    """Run ``main``; return its exit code, or that of the signal that ended it.

    ``told`` is said on stderr when the signal comes. What this process was told to
    ignore (`nohup`) it goes on ignoring.
    """
    until_s = 0.0

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal until_s
        if time.monotonic() < until_s:
            return
        until_s = time.monotonic() + GRACE_S
        _say(told)
        raise Stopped(number)

    for number in NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        return main()
    except Stopped as stopped:
        return stopped.code


def _say(told: str) -> None:
    """Write a line past all buffers: what was interrupted may be writing to them."""
    try:
        os.write(2, f"\n{told}\n".encode() if told else b"")
    except OSError:  # the terminal is gone, and nobody may fail for want of it
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in OUTPUTS:
            if stat.S_ISCHR(os.fstat(output).st_mode):
                os.dup2(nowhere, output)
