"""The worker thread."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from cluster.storage.thread import ThreadWorker


def run_job(worker: ThreadWorker, job: Callable[[], object]) -> asyncio.Future[object]:
    """Submit ``job`` and return its result as a future."""
    future = asyncio.get_running_loop().create_future()
    worker.submit(job, future.set_result, future.set_exception)
    return future


async def test_a_job_runs_in_the_thread_and_its_result_arrives_on_the_loop() -> None:
    """I3: one loop owns all state."""
    worker = ThreadWorker(asyncio.get_running_loop())
    loop_thread = threading.get_ident()
    arrived_in = []
    future = asyncio.get_running_loop().create_future()

    def done(ident: int) -> None:
        arrived_in.append(threading.get_ident())
        future.set_result(ident)

    worker.submit(threading.get_ident, done, future.set_exception)
    ran_in = await asyncio.wait_for(future, 5)
    await worker.close()

    assert ran_in != loop_thread
    assert arrived_in == [loop_thread]


async def test_jobs_run_in_order() -> None:
    """A vote must not reach the disk before the entries it depends on."""
    worker = ThreadWorker(asyncio.get_running_loop())
    ran: list[int] = []

    def append(number: int) -> Callable[[], object]:
        return lambda: ran.append(number)

    futures = [run_job(worker, append(number)) for number in range(100)]
    await asyncio.wait_for(asyncio.gather(*futures), 5)
    await worker.close()

    assert ran == list(range(100))


async def test_an_error_is_handed_back_and_the_thread_goes_on() -> None:
    """Its owner decides what it means."""
    worker = ThreadWorker(asyncio.get_running_loop())

    def fail() -> None:
        raise OSError("simulated")

    with pytest.raises(OSError, match="simulated"):
        await asyncio.wait_for(run_job(worker, fail), 5)
    assert await asyncio.wait_for(run_job(worker, lambda: 7), 5) == 7
    await worker.close()


async def test_closing_finishes_what_was_submitted() -> None:
    """Callbacks included; later jobs are refused; closing twice does no harm."""
    worker = ThreadWorker(asyncio.get_running_loop(), name="test-closing")
    futures = [run_job(worker, lambda: None) for _ in range(10)]
    await worker.close()
    await worker.close()

    assert all(future.done() for future in futures)
    assert "test-closing" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(RuntimeError, match="closed"):
        worker.submit(lambda: None, lambda _: None, lambda _: None)


async def test_closing_does_not_wait_for_ever() -> None:
    """A disk that hangs must not keep the process from saying so."""
    worker = ThreadWorker(asyncio.get_running_loop(), close_deadline_s=0.02)
    release = threading.Event()
    worker.submit(release.wait, lambda _: None, lambda _: None)
    try:
        with pytest.raises(TimeoutError):
            await worker.close()
    finally:
        release.set()
    await worker.close()


async def test_jobs_do_not_pile_up_without_bound() -> None:
    """The log waits for each of its jobs; more is a bug that must show."""
    worker = ThreadWorker(asyncio.get_running_loop())
    release = threading.Event()
    worker.submit(release.wait, lambda _: None, lambda _: None)

    def submit_many() -> None:
        for _ in range(2_000):
            worker.submit(lambda: None, lambda _: None, lambda _: None)

    with pytest.raises(RuntimeError, match="too many"):
        submit_many()
    release.set()
    await worker.close()


def test_a_result_for_a_closed_loop_is_dropped() -> None:
    """The process is ending: the thread must end too, without a traceback."""
    loop = asyncio.new_event_loop()
    worker = ThreadWorker(loop, name="test-orphan")
    release = threading.Event()
    worker.submit(lambda: release.wait(5), lambda _: None, lambda _: None)
    loop.run_until_complete(_close_soon(worker))
    loop.close()
    release.set()
    threads = [t for t in threading.enumerate() if t.name == "test-orphan"]
    for thread in threads:
        thread.join(5)

    assert not any(thread.is_alive() for thread in threads)


async def _close_soon(worker: ThreadWorker) -> None:
    closing = asyncio.ensure_future(worker.close())
    await asyncio.wait([closing], timeout=0)
    closing.cancel()
    await asyncio.wait([closing])
