"""Heartbeats on their way into the log: several of them in one Renew.

A renewal is urgent to nobody, so it waits for company: eight ids, another command that
goes anyway, or 20 ms, whichever comes first. Each heartbeat is answered after its
commit. 10,000 instances at 30 s then cost 50 entries a second, not 333.
"""

import asyncio
from dataclasses import dataclass, field

from registry.catalog.commands import Renew
from registry.catalog.outcomes import Code
from registry.errors import InternalRefusal, OutcomeUnknown, Overloaded, RegistryError
from registry.model import ServiceId
from registry.ports import Clock, DutyObserver
from registry.proposals import Proposals

GATHER_S = 0.02
MOST_IDS = 8
MOST_WAITING = 16_384
"""Heartbeats without an answer; more are refused as overloaded."""

Renewed = tuple[int, Code]
"""Log index, and what became of the one id."""


@dataclass(slots=True)
class _Gathering:
    """Heartbeats that go together."""

    answers: "dict[ServiceId, asyncio.Future[Renewed]]" = field(default_factory=dict)
    deadline_s: float = 0.0


class Renewer:
    """Gathers renewals for one replica.

    Invariant: a timer runs exactly while something is gathered.
    """

    def __init__(
        self, proposals: Proposals, clock: Clock, observer: DutyObserver
    ) -> None:
        self._proposals = proposals
        self._clock = clock
        self._observer = observer
        self._gathering = _Gathering()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def renew(self, service_id: ServiceId, *, deadline_s: float) -> Renewed:
        """Renew one lease; return the index and OK, REVIVED or a refusal.

        Raises a leaf of NotReplicated, or OutcomeUnknown.
        """
        if self._waiting >= MOST_WAITING:
            raise Overloaded(f"{MOST_WAITING} heartbeats wait for an answer already")
        gathering = self._gathering
        answer = gathering.answers.get(service_id)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            # It may be that nobody waits for it any more when it fails.
            answer.add_done_callback(_read)
            gathering.answers[service_id] = answer
        gathering.deadline_s = max(gathering.deadline_s, deadline_s)
        self._waiting += 1
        try:
            if len(gathering.answers) >= MOST_IDS:
                self.ride()
            elif self._timer is None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(GATHER_S, self.ride)
            left_s = max(0.0, deadline_s - self._clock.now_s())
            async with asyncio.timeout(left_s + GATHER_S):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise OutcomeUnknown("no answer by the deadline") from None
        finally:
            self._waiting -= 1

    def ride(self) -> None:
        """Propose what is gathered now: another command goes anyway."""
        gathering = self._gathering
        if not gathering.answers:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._gathering = _Gathering()
        task = asyncio.get_running_loop().create_task(self._propose(gathering))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _propose(self, gathering: _Gathering) -> None:
        answers = gathering.answers
        try:
            index, codes = await self._renewed(gathering)
        except Exception as error:
            # Also a defect: whoever waits is told at once.
            known = isinstance(error, RegistryError)
            told = error if known else InternalRefusal("the renewal failed")
            for answer in answers.values():
                answer.set_exception(type(told)(*told.args))
            if not known:
                raise
            return
        self._observer.observe_revivals(codes.count(Code.REVIVED))
        for answer, code in zip(answers.values(), codes, strict=True):
            answer.set_result((index, code))

    async def _renewed(self, gathering: _Gathering) -> tuple[int, tuple[Code, ...]]:
        answers = gathering.answers
        command = Renew(service_ids=tuple(answers), at_ms=self._clock.wall_ms())
        proposed = await self._proposals.propose(
            command, deadline_s=gathering.deadline_s, alone=False
        )
        codes = proposed.outcome.items
        if len(codes) != len(answers):
            raise InternalRefusal("the renewal was refused")
        return proposed.index, codes


def _read(answer: "asyncio.Future[Renewed]") -> None:
    if not answer.cancelled():
        answer.exception()
