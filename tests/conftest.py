"""Runs coroutine tests, under a deadline, and sets hypothesis up. No plugin needed."""

import asyncio
import inspect

import hypothesis
import pytest

ASYNC_TEST_DEADLINE_S = 60.0

# Machines that are shared are slow at times; that says nothing about an example.
hypothesis.settings.register_profile("shared", deadline=None, print_blob=True)
hypothesis.settings.load_profile("shared")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test on a new event loop; leave others to pytest."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    wanted = inspect.signature(test).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}

    async def run() -> None:
        async with asyncio.timeout(ASYNC_TEST_DEADLINE_S):
            await test(**arguments)

    asyncio.run(run())
    return True
