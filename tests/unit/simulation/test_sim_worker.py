"""The simulated worker thread: in order, in virtual time, dying with its node."""

import asyncio
from asyncio import events
from functools import partial
from random import Random

from tests.support.sim_loop import SimLoop
from tests.support.sim_node_loop import NodeLoop
from tests.support.sim_worker import Crash, SimWorker


class Bench:
    """A worker on a node, and what it reported when."""

    def __init__(self, *, latency_s: float = 0.1) -> None:
        self.sim = SimLoop()
        self.loop = NodeLoop(self.sim)
        self.worker = SimWorker(self.loop, Random(1), lambda: latency_s)
        self.seen: list[tuple[str, float]] = []

    def note(self, what: object) -> None:
        """Remember an answer and its time."""
        self.seen.append((str(what), round(self.sim.time(), 6)))

    def run(self, *, until_s: float = 10.0) -> None:
        """Let everything happen."""
        self.sim.call_at(until_s, self.sim.stop)
        self.sim.run_forever()


def test_jobs_run_one_after_the_other_and_take_their_time() -> None:
    """One thread: a slow sync delays what is behind it."""
    bench = Bench()
    for number in range(3):
        bench.worker.submit(partial(int, number), bench.note, bench.note)

    bench.run()

    assert bench.seen == [("0", 0.1), ("1", 0.2), ("2", 0.3)]


def test_an_error_is_answered_as_one() -> None:
    """The product decides what a failed sync means; the worker only tells."""
    bench = Bench()

    def job() -> None:
        raise OSError("on purpose")

    bench.worker.submit(job, lambda _: bench.note("done"), bench.note)
    bench.run()

    assert bench.seen == [("on purpose", 0.1)]


def test_a_stall_delays_the_answers() -> None:
    """A disk that hangs for seconds costs a leadership, nothing else."""
    bench = Bench()
    bench.worker.stall(3.0)
    bench.worker.submit(lambda: "late", bench.note, bench.note)

    bench.run()

    assert bench.seen == [("late", 3.0)]


def test_a_crash_in_a_job_is_never_answered() -> None:
    """Nobody is left who could hear it."""
    bench = Bench()

    def job() -> None:
        bench.loop.kill()
        raise Crash

    bench.worker.submit(job, bench.note, bench.note)
    bench.worker.submit(lambda: "next", bench.note, bench.note)
    bench.run()

    assert bench.seen == []


def test_a_paused_node_has_a_paused_worker() -> None:
    """SIGSTOP stops all threads of a process."""
    bench = Bench()
    bench.worker.submit(lambda: "done", bench.note, bench.note)
    bench.loop.pause()
    bench.sim.call_at(5.0, bench.loop.resume)

    bench.run()

    assert bench.seen[0][1] >= 5.0


def test_no_loop_runs_where_a_job_runs() -> None:
    """Code that touches the loop from its worker fails here as it would in a thread."""
    bench = Bench()
    bench.worker.submit(events._get_running_loop, bench.note, bench.note)

    bench.run()

    assert bench.seen[0][0] == "None"


def test_closing_waits_for_what_was_submitted() -> None:
    """The last records of a graceful stop reach the disk."""
    bench = Bench()
    bench.worker.submit(lambda: "job", bench.note, bench.note)

    async def stop() -> None:
        await bench.worker.close()
        bench.note("closed")

    def begin() -> "asyncio.Task[None]":
        return bench.loop.create_task(stop())

    bench.loop.run_inside(begin)
    bench.run()

    assert [what for what, _ in bench.seen] == ["job", "closed"]
