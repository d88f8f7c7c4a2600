"""Guard: no exception of a callback goes unnoticed."""

from collections.abc import Callable

import pytest

from cluster.guard import GuardedWorker, guarded
from tests.scenarios.support_hands import Died, HandWorker, die


def fail(*_: object) -> None:
    """Make a mistake."""
    raise KeyError("mistake")


def failing() -> int:
    """A job with a mistake in it."""
    raise KeyError("mistake")


def test_what_a_callback_gets_is_handed_on() -> None:
    """It stays what it was, under its own name."""
    got: list[tuple[int, str]] = []

    def callback(number: int, *, word: str) -> None:
        got.append((number, word))

    call = guarded(callback, die)
    call(1, word="x")

    assert got == [(1, "x")]
    assert call.__qualname__ == callback.__qualname__


def test_an_exception_ends_the_replica_and_names_the_callback() -> None:
    """Whoever reads the log must find the place."""
    with pytest.raises(Died, match=r"^fail: KeyError: 'mistake'$"):
        guarded(fail, die)()


def test_the_end_itself_is_not_swallowed() -> None:
    """A replica that ends inside a callback has ended."""

    def callback() -> None:
        die("first reason")

    with pytest.raises(Died, match=r"^first reason$"):
        guarded(callback, die)()


def test_a_workers_results_come_back() -> None:
    """The job runs in the thread; its result or its error comes to the callbacks."""
    worker = GuardedWorker(HandWorker(), die)
    results: list[int] = []
    errors: list[BaseException] = []
    worker.submit(lambda: 5, results.append, errors.append)
    worker.submit(failing, results.append, errors.append)

    assert results == [5]
    assert [type(error) for error in errors] == [KeyError]


@pytest.mark.parametrize("job", [lambda: 5, fail])
def test_both_callbacks_of_a_worker_are_guarded(job: Callable[[], object]) -> None:
    """A sync that is never noted would hold up everything."""
    with pytest.raises(Died, match="KeyError"):
        GuardedWorker(HandWorker(), die).submit(job, fail, fail)


async def test_closing_finishes_what_was_submitted() -> None:
    """The last records are written."""
    inner = HandWorker()
    results: list[int] = []
    inner.eager = False
    worker = GuardedWorker(inner, die)
    worker.submit(lambda: 5, results.append, fail)
    assert results == []
    await worker.close()

    assert results == [5]
