"""What servers use while they are asked and while they are not; Linux tells it only."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from bench.figures import cpu_s

IDLE_S = 0.25


class CpuMeter:
    """The CPU time that processes use from now on; None where nobody can tell.

    What they use even while nobody asks (heartbeats of Raft, timers) is left out as far
    as ``idle_share`` of a core says.
    """

    def __init__(self, pids: Iterable[int], *, idle_share: float = 0.0) -> None:
        self._pids = tuple(pids) if sys.platform == "linux" else ()
        self._idle_share = idle_share
        self._began_s = time.perf_counter()
        self._before_s = cpu_s(self._pids)
        self._wanted_before_s = wanted_s(self._pids)

    def used_s(self) -> float | None:
        """Return what they used since."""
        if not self._pids:
            return None
        took_s = time.perf_counter() - self._began_s
        return cpu_s(self._pids) - self._before_s - self._idle_share * took_s

    def wanted_s(self) -> float | None:
        """Return how long they ran or waited for a core since."""
        if not self._pids:
            return None
        return wanted_s(self._pids) - self._wanted_before_s


def idle_share(pids: Iterable[int]) -> float | None:
    """Watch servers that nobody asks for a moment; return what they use of a core."""
    meter, began_s = CpuMeter(pids), time.perf_counter()
    if meter.used_s() is None:
        return None
    time.sleep(IDLE_S)
    used_s = meter.used_s()
    assert used_s is not None
    return used_s / (time.perf_counter() - began_s)


def wanted_s(pids: Iterable[int]) -> float:
    """Return how long the threads of processes ran, or waited for a core, in all.

    Unlike their CPU time this tells who had work always, also beside others on the same
    core. What has ended counts nothing.
    """
    total_ns = 0
    for pid in pids:
        for told in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                ran_ns, waited_ns, _ = told.read_text().split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # a thread that has just ended
            total_ns += int(ran_ns) + int(waited_ns)
    return total_ns / 1e9
