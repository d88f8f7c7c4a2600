"""The clients of a run: all in one loop, on a thread of its own, each call a record."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

from tests.chaos.evidence import Recorder
from tests.chaos.workload import contended, kept, lives, lookers, readers, sessions
from tests.chaos.workload.calls import Asked, Client, Scene
from tests.chaos.workload.endings import record_endings
from tests.chaos.workload.web import open_session
from tests.support.background import JOIN_S, Background
from tests.support.small_service import SmallService, SmallServices
from tests.support.waiting import wait_until

__all__ = ("Workload", "record_endings")

Script = Coroutine[Any, Any, None]
LOOK_EACH_S = 0.05


class Workload(Background):
    """Clients that ask a cluster for as long as the `with` lasts.

    After `stop_asking`, or at its end, each client ends the call that it makes, within
    some seconds even when no replica answers; what lives goes on until the end. What
    went wrong in a client is raised there (or earlier, by `wait_acknowledged`).
    """

    services = (
        *contended.SERVICES,
        *kept.SERVICES,
        *sessions.SERVICES,
        lives.BEATING,
        lives.CHECKED,
    )

    def __init__(
        self, bed: Asked, recorder: Recorder, *, seed: int, ttl_s: float
    ) -> None:
        super().__init__("workload")
        self._bed = bed
        self._enough = threading.Event()
        self._quiet = threading.Event()
        self._scene = Scene(bed, recorder, seed, ttl_s, self._enough.is_set)
        self._failure: BaseException | None = None

    def stop_asking(self) -> None:
        """Let nobody read or write any more but those that live by it."""
        self._enough.set()
        assert self._quiet.wait(JOIN_S), "the workload does not end"
        self._raise_failure()

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        super().__exit__()
        assert not self._thread.is_alive(), "the workload does not end"
        self._raise_failure()

    @property
    def acknowledged(self) -> int:
        """How many writes were answered as done."""
        return self._scene.acknowledged

    @property
    def reads(self) -> int:
        """How many lists were answered."""
        return self._scene.reads

    def wait_acknowledged(self, more: int, *, deadline_s: float = 20.0) -> None:
        """Wait for so many more acknowledged writes."""
        wanted = self.acknowledged + more
        wait_until(
            lambda: self.acknowledged >= wanted or self._failure is not None,
            f"{more} acknowledged writes",
            deadline_s=deadline_s,
        )
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    # -- the thread

    def run(self) -> None:
        """See Background."""
        hosts = [self._bed.service_host] * lives.LIVES
        try:
            with SmallServices(*hosts) as checked:
                asyncio.run(self._play(checked.services))
        except BaseException as failure:
            self._failure = failure
        finally:
            self._quiet.set()

    async def _play(self, checked: list[SmallService]) -> None:
        scene = self._scene
        async with open_session() as scene.session, asyncio.TaskGroup() as living:
            for script in _lives(scene, checked):
                living.create_task(script)
            async with asyncio.TaskGroup() as asking:
                for script in _askers(scene):
                    asking.create_task(script)
            self._quiet.set()
            while not self.is_over:
                await asyncio.sleep(LOOK_EACH_S)
            scene.are_all_gone = True


def _lives(scene: Scene, checked: list[SmallService]) -> Iterator[Script]:
    for n in range(lives.LIVES):
        yield lives.live_by_heartbeats(Client(f"beating-{n}", scene), n)
    for n, service in enumerate(checked):
        yield lives.live_by_checks(Client(f"checked-{n}", scene), n, service)


def _askers(scene: Scene) -> Iterator[Script]:
    for n, service in enumerate(contended.SERVICES):
        for k in range(contended.CLIENTS):
            yield contended.contend(Client(f"{service}/{k}", scene), n)
    for n, service in enumerate(kept.SERVICES):
        yield kept.keep(Client(service, scene), n)
    for n, service in enumerate(sessions.SERVICES):
        yield sessions.read_own_writes(Client(service, scene), n)
    for replica in scene.bed.node_ids:
        yield readers.read_at(Client(f"reader-{replica}", scene), replica)
        yield lookers.look_at(Client(f"looker-{replica}", scene), replica)
    yield readers.read_moving(Client("reader-moving", scene))
