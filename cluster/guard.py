"""Callbacks that cannot fail silently: an exception nobody expected ends the replica.

The event loop would log it and go on without whatever the callback had yet to do: a
sync that is never noted, a snapshot that is never made again.
"""

from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

from cluster.ports import Worker

P = ParamSpec("P")
T = TypeVar("T")


def guarded(
    callback: Callable[P, None], fatal: Callable[[str], NoReturn]
) -> Callable[P, None]:
    """Return ``callback``, which now ends the replica instead of raising."""

    @wraps(callback)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:
            fatal(f"{callback.__qualname__}: {type(error).__name__}: {error}")

    return call


class GuardedWorker:
    """A worker whose results are handed back by guarded callbacks."""

    def __init__(self, worker: Worker, fatal: Callable[[str], NoReturn]) -> None:
        self._worker = worker
        self._fatal = fatal

    def submit(
        self,
        job: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run ``job`` in the thread, then ``done(result)`` or ``failed(error)``."""
        self._worker.submit(
            job, guarded(done, self._fatal), guarded(failed, self._fatal)
        )

    async def close(self) -> None:
        """Finish what was submitted and end the thread."""
        await self._worker.close()
