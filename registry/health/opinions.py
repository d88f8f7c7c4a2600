"""Second opinion, the other side: every replica probes what the leader suspects.

Once each, at most 256 at a time; verdicts go into the log 20 ms after the first of them
is there, so one target that hangs does not hold up what is known of the others. What
comes too late for the leader, or from a leader of the past, is not worth a probe.
Runs on every replica for its whole life: a leader does not hear its own questions.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from registry.catalog.commands import Key, Opinion, Suspect, Suspicion, Verdict
from registry.catalog.views import Catalog
from registry.errors import RegistryError
from registry.health.anew import run_anew
from registry.health.fence import Fence
from registry.health.plan import CheckSettings, plan_of
from registry.health.targets import target_of
from registry.ports import Clock, ClusterView, DutyObserver, Prober, Target
from registry.proposals import Proposals

MOST_WAITING = 1_024
"""Beyond it the oldest are dropped: no answer, which is what they would have got."""
AT_ONCE = 256
GATHER_S = 0.02
MOST_ITEMS = 64
DEADLINE_S = 5.0
WORTH_S = 7.0
"""How long a question may wait here until its answer would come too late."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, and where and when it was put."""

    suspicion: Suspicion
    position: int
    leader: str
    noted_s: float


class OpinionGiver:
    """Answers the leader's questions. A ``Listener``."""

    def __init__(
        self,
        *,
        node_id: str,
        catalog: Catalog,
        proposals: Proposals,
        prober: Prober,
        clock: Clock,
        view: Callable[[], ClusterView],
        settings: CheckSettings,
        observer: DutyObserver,
    ) -> None:
        self._node_id = node_id
        self._catalog = catalog
        self._proposals = proposals
        self._prober = Fence(prober, clock)
        self._clock = clock
        self._view = view
        self._settings = settings
        self._observer = observer
        self._waiting: deque[Asked] = deque(maxlen=MOST_WAITING)
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._verdicts: dict[int, list[Verdict]] = {}
        """What is to be told, by position of the question."""
        self._told = asyncio.Event()

    def changed(self, keys: list[Key]) -> None:
        """Nothing to us."""

    def opined(self, position: int, command: Opinion) -> None:
        """Nothing to us."""

    def suspected(self, position: int, command: Suspect) -> None:
        """Note the questions of another replica."""
        if command.replica == self._node_id:
            return
        now_s = self._clock.now_s()
        self._waiting.extend(
            [Asked(item, position, command.replica, now_s) for item in command.items]
        )
        self._wake.set()

    async def run(self) -> None:
        """Answer until cancelled. Defects are logged."""
        await run_anew(self._answer, what="opinions")

    async def _answer(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell())
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self._room.acquire()
                    asked = self._waiting.popleft() if self._waiting else None
                    target = None if asked is None else self._worth(asked)
                    if asked is None or target is None:
                        self._room.release()
                    else:
                        group.create_task(self._probe(asked, target))

    def _worth(self, asked: Asked) -> Target | None:
        """Return what to probe; None if nobody waits for the answer, or it changed."""
        view = self._view()
        if not view.caught_up or view.leader != asked.leader:
            return None
        if self._clock.now_s() - asked.noted_s > WORTH_S:
            return None
        registration = self._catalog.registration(asked.suspicion.service_id)
        if registration is None:
            return None
        if registration.generation != asked.suspicion.generation:
            return None
        plan = plan_of(registration, self._settings)
        return None if plan is None else target_of(plan)

    async def _probe(self, asked: Asked, target: Target) -> None:
        try:
            result = await self._prober.probe(target)
        finally:
            self._room.release()
        if result.is_ours:
            return  # No answer: it says nothing of the instance.
        suspicion = asked.suspicion
        verdict = Verdict(
            suspicion.service_id, suspicion.generation, result.passed, result.cause
        )
        self._verdicts.setdefault(asked.position, []).append(verdict)
        self._told.set()

    async def _tell(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                await self._told.wait()
                await asyncio.sleep(GATHER_S)
                self._told.clear()
                verdicts, self._verdicts = self._verdicts, {}
                for position, items in verdicts.items():
                    for first in range(0, len(items), MOST_ITEMS):
                        some = tuple(items[first : first + MOST_ITEMS])
                        group.create_task(self._propose(position, some))

    async def _propose(self, position: int, items: tuple[Verdict, ...]) -> None:
        command = Opinion(
            items=items,
            replica=self._node_id,
            suspect=position,
            at_ms=self._clock.wall_ms(),
        )
        deadline_s = self._clock.now_s() + DEADLINE_S
        try:
            await self._proposals.propose(command, deadline_s=deadline_s)
        except RegistryError as error:
            log.info("An opinion was not given", reason=error.code, items=len(items))
            return
        for _ in items:
            self._observer.observe_opinion("given")
