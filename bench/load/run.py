"""Starts loads as processes, and makes samples of what they found."""

import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec

from bench.load.__main__ import GO, READY
from bench.load.meter import CpuMeter, idle_share
from bench.load.spec import Load, Result
from bench.results import Sample

DEADLINE_S = 60.0
"""For a load to be ready, and to end beyond its own time."""


class RunningLoad:
    """One load process: ready, then under way, then read."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._write(msgspec.json.encode(load).decode() + "\n")

    def wait_ready(self) -> None:
        """Wait until it can begin. Raises RuntimeError with what it said."""
        stdout = self._process.stdout
        assert stdout is not None
        is_there, _, _ = select.select([stdout], [], [], DEADLINE_S)
        if not is_there:
            self._process.kill()
        if stdout.readline() != READY:
            self._fail()

    def go(self) -> None:
        """Let it begin."""
        self._write(GO)

    def result(self) -> Result:
        """Wait for its end. Raises RuntimeError with what it said if it failed."""
        text, said = self._process.communicate(timeout=self._load.seconds + DEADLINE_S)
        if self._process.returncode != 0:
            raise RuntimeError(f"the load failed: {said.strip()}")
        return msgspec.json.decode(text, type=Result)

    def end(self) -> None:
        """Leave nothing behind."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate(timeout=DEADLINE_S)

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            self._fail()

    def _fail(self) -> None:
        said = self._process.communicate(timeout=DEADLINE_S)[1]
        raise RuntimeError(f"the load failed: {said.strip()}")


@contextmanager
def loads(*wanted: Load) -> Iterator[list[RunningLoad]]:
    """Start loads together: all have begun when the body is entered."""
    with ExitStack() as stack:
        running = []
        for load in wanted:
            running.append(RunningLoad(load))
            stack.callback(running[-1].end)
        for one in running:
            one.wait_ready()
        for one in running:
            one.go()
        yield running


def run(*wanted: Load) -> list[Result]:
    """Run loads beside each other; return what each found."""
    with loads(*wanted) as running:
        return [one.result() for one in running]


def numbers() -> int:
    """Return a first number, so that those of two runs do not meet: microseconds."""
    return time.time_ns() // 1000


def sample(side: str, turn: int, load: Load, pids: Sequence[int] = ()) -> Sample:
    """Run one load; tell it as a turn of a side, with the CPU that ``pids`` used.

    What they use while idle is taken off.
    """
    share = idle_share(pids)
    with loads(load) as (running,):
        meter = CpuMeter(pids, idle_share=share or 0.0)
        result = running.result()
        used_s = meter.used_s()
    return as_sample(side, turn, result, used_s, idle_share=share)


def as_sample(
    side: str,
    turn: int,
    result: Result,
    server_cpu_s: float | None,
    *,
    idle_share: float | None = None,
) -> Sample:
    """Return a result as one turn of a side."""
    asked = result.requests + result.errors
    return Sample(
        side=side,
        turn=turn,
        requests=result.requests,
        errors=result.errors,
        seconds=result.seconds,
        cpu_us_per_request=(
            None if server_cpu_s is None or not asked else server_cpu_s / asked * 1e6
        ),
        latency_us=result.latency_us,
        rate_by_second=result.rate_by_second,
        idle_share=idle_share,
    )
