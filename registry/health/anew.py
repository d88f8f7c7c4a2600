"""Keeps a duty alive: a defect is logged, and the duty begins anew."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

RESTART_S = 1.0

log = structlog.get_logger()


async def run_anew(duty: Callable[[], Awaitable[None]], *, what: str) -> None:
    """Run ``duty``, which never returns by itself, until cancelled."""
    task = asyncio.current_task()
    while True:
        try:
            await duty()
        except* Exception:
            log.exception(
                "A duty failed by a defect of ours; it begins anew", duty=what
            )
        if task is not None and task.cancelling():
            # A group that has a defect to tell of keeps the cancellation to itself.
            raise asyncio.CancelledError
        await asyncio.sleep(RESTART_S)
