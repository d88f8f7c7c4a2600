"""A steady load of registrations on real replicas, and what became of each of them.

It runs in a thread with a loop of its own, so that a test can kill and ask meanwhile.
Each writer keeps one connection to one replica, waits for each answer, and registers
addresses that nobody else does: so what must be listed is known exactly.
"""

import asyncio
import threading
import time
from collections import deque
from itertools import count, islice, pairwise
from types import TracebackType

import aiohttp

from tests.support.process_http import instances
from tests.support.waiting import wait_until

REQUEST_S = 8.0
SHOWN = 5
"""Examples named when something is wrong."""
_numbers = count(1)
"""Each load has names of its own, so that many can follow on one cluster."""


class Load:
    """Registrations, and (every ``leave_each``-th write) a deregistration.

    Invariant: an address is in one of ``listed`` (registration acknowledged), ``gone``
    (deregistration acknowledged) and ``unknown`` (the last answer did not come).
    """

    def __init__(
        self,
        urls: list[str],
        *,
        per_s: float = 400.0,
        writers: int = 8,
        leave_each: int = 0,
    ) -> None:
        self.listed: dict[tuple[str, str], str] = {}
        self.gone: dict[tuple[str, str], str] = {}
        self.unknown: set[tuple[str, str]] = set()
        self.failures: list[str] = []
        self.acknowledged_s: list[float] = []
        self._urls = urls
        load = next(_numbers)
        self._names = [f"load{load}-{number}" for number in range(writers)]
        self._period_s = writers / per_s
        self._leave_each = leave_each
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(REQUEST_S + 5.0)
        assert not self._thread.is_alive()

    def wait_acknowledged(self, count: int, *, deadline_s: float = 20.0) -> None:
        """Wait for ``count`` more acknowledged writes."""
        wanted = len(self.acknowledged_s) + count
        wait_until(
            lambda: len(self.acknowledged_s) >= wanted,
            f"{count} acknowledged writes",
            deadline_s=deadline_s,
        )

    def longest_gap_s(self, since_s: float) -> float:
        """Return the longest time without an acknowledgement after ``since_s``.

        Not simply the first one after it: that may have been on its way already.
        """
        later = [at_s for at_s in self.acknowledged_s if at_s > since_s]
        return max(b - a for a, b in pairwise([since_s, *later]))

    # -- the judgement

    def verify(self, url: str) -> None:
        """All that was acknowledged is true at ``url``, once; nothing else is there."""
        for name in self._names:
            found = instances(url, name, query="?consistent=true")
            at = {(name, str(i["host"])): str(i["service_id"]) for i in found}
            assert len(at) == len(found), "an address is listed twice"
            listed = {k: v for k, v in self.listed.items() if k[0] == name}
            lost = [k for k, v in listed.items() if at.get(k) != v]
            assert not lost, f"acknowledged and lost: {_some(lost)}"
            extra = [k for k in at if k not in listed and k not in self.unknown]
            back = [k for k in extra if k in self.gone]
            assert not back, f"deregistered and back: {_some(back)}"
            assert not extra, f"nobody registered {_some(extra)}"

    # -- the thread

    def _run(self) -> None:
        asyncio.run(self._write_all())

    async def _write_all(self) -> None:
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await asyncio.gather(
                *(
                    self._write(session, name, self._urls[i % len(self._urls)])
                    for i, name in enumerate(self._names)
                )
            )

    async def _write(self, session: aiohttp.ClientSession, name: str, url: str) -> None:
        own: deque[tuple[str, str]] = deque()
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        number = 0
        while not self._stop.is_set():
            number += 1
            if self._leave_each and number % self._leave_each == 0 and own:
                await self._leave(session, url, own.popleft())
            else:
                key = (name, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
                if await self._register(session, url, key):
                    own.append(key)
            # What was missed while waiting is not made up for.
            due_s = max(due_s + self._period_s, loop.time())
            await asyncio.sleep(due_s - loop.time())

    async def _register(
        self, session: aiohttp.ClientSession, url: str, key: tuple[str, str]
    ) -> bool:
        self.unknown.add(key)
        body = {"name": key[0], "host": key[1], "port": 80, "ttl_seconds": 0}
        try:
            async with session.post(url + "/register", json=body) as answer:
                document = await answer.json(content_type=None)
                if answer.status != 200:
                    self.failures.append(f"register: {answer.status} {document}")
                    return False
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            await self._failed("register", error)
            return False
        self.acknowledged_s.append(time.monotonic())
        self.listed[key] = document["service_id"]
        self.unknown.discard(key)
        return True

    async def _leave(
        self, session: aiohttp.ClientSession, url: str, key: tuple[str, str]
    ) -> None:
        service_id = self.listed.pop(key)
        self.unknown.add(key)
        path = f"{url}/deregister/{service_id}"
        try:
            async with session.delete(path) as answer:
                if answer.status != 200:
                    self.failures.append(f"deregister: {answer.status}")
                    return
        except (aiohttp.ClientError, TimeoutError) as error:
            await self._failed("deregister", error)
            return
        self.acknowledged_s.append(time.monotonic())
        self.gone[key] = service_id
        self.unknown.discard(key)

    async def _failed(self, what: str, error: Exception) -> None:
        self.failures.append(f"{what}: {type(error).__name__} {error}")
        await asyncio.sleep(self._period_s)


def _some(keys: list[tuple[str, str]]) -> str:
    return f"{len(keys)}, among them {list(islice(keys, SHOWN))}"
