"""Heartbeats on their way into the log: several of them in one Renew.

A renewal is urgent to nobody, so it waits for company: eight ids and what comes in the
same turn of the loop, another command that goes anyway, or 20 ms, whichever is first.
Each heartbeat is answered after its commit. 10,000 instances at 30 s then cost 50
entries a second, not 333.
"""

import asyncio

from registry.catalog.commands import Renew
from registry.catalog.outcomes import Code
from registry.errors import InternalRefusal, OutcomeUnknown, Overloaded, RegistryError
from registry.model import ServiceId
from registry.ports import Clock, DutyObserver
from registry.proposals import Proposals

GATHER_S = 0.02
ENOUGH_IDS = 8
"""So many wait no longer than to the next turn of the loop."""
MOST_IDS = 128
"""Of one command: to apply it takes well under a millisecond."""
BELT_S = 0.08
"""Behind the deadline: by then the consensus has answered, and knows more of it."""
MOST_WAITING = 16_384
"""Heartbeats without an answer; more are refused as overloaded."""

Renewed = tuple[int, Code]
"""Log index, and what became of the one id."""


class _Gathering:
    """Heartbeats that go together; several callers may share an id, and its answer."""

    __slots__ = ("answers", "callers", "deadline_s")

    def __init__(self) -> None:
        self.answers: dict[ServiceId, asyncio.Future[Renewed]] = {}
        self.callers = 0
        self.deadline_s = 0.0


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
        self._timer: asyncio.Handle | None = None
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def renew(
        self, service_id: ServiceId, *, deadline_s: float
    ) -> "asyncio.Future[Renewed]":
        """Renew one lease: index and OK, REVIVED or a refusal, soon after the latest
        deadline of those that go together.

        Others may wait for the same future: it is not to be cancelled. It fails by a
        leaf of NotReplicated, or OutcomeUnknown.
        """
        loop = asyncio.get_running_loop()
        if self._waiting >= MOST_WAITING:
            refused: asyncio.Future[Renewed] = loop.create_future()
            message = f"{MOST_WAITING} heartbeats wait for an answer already"
            _fail(refused, Overloaded(message))
            return refused
        gathering = self._gathering
        answers = gathering.answers
        answer = answers.get(service_id)
        if answer is None:
            answer = answers[service_id] = loop.create_future()
            self._mind_company(len(answers), loop)
        if deadline_s > gathering.deadline_s:
            gathering.deadline_s = deadline_s
        gathering.callers += 1
        self._waiting += 1
        return answer

    def _mind_company(self, ids: int, loop: asyncio.AbstractEventLoop) -> None:
        if ids == 1:
            self._timer = loop.call_later(GATHER_S, self.ride)
        elif ids == ENOUGH_IDS:
            self._stop_timer()
            self._timer = loop.call_soon(self.ride)
        elif ids == MOST_IDS:
            self.ride()

    def ride(self) -> None:
        """Propose what is gathered now: another command goes anyway."""
        gathering = self._gathering
        if not gathering.answers:
            return
        self._stop_timer()
        self._gathering = _Gathering()
        task = asyncio.get_running_loop().create_task(self._propose(gathering))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _propose(self, gathering: _Gathering) -> None:
        answers = gathering.answers
        try:
            index, codes = await self._renewed(gathering)
        except Exception as error:
            # Also a defect: whoever waits is told at once.
            known = isinstance(error, RegistryError)
            told = error if known else InternalRefusal("the renewal failed")
            for answer in answers.values():
                _fail(answer, type(told)(*told.args))
            if not known:
                raise
            return
        finally:
            self._waiting -= gathering.callers
        self._observer.observe_revivals(codes.count(Code.REVIVED))
        for answer, code in zip(answers.values(), codes, strict=True):
            if not answer.done():  # as one is that its caller has cancelled after all
                answer.set_result((index, code))

    async def _renewed(self, gathering: _Gathering) -> tuple[int, tuple[Code, ...]]:
        answers, deadline_s = gathering.answers, gathering.deadline_s
        command = Renew(service_ids=tuple(answers), at_ms=self._clock.wall_ms())
        left_s = max(0.0, deadline_s - self._clock.now_s())
        try:
            async with asyncio.timeout(left_s + BELT_S):
                proposed = await self._proposals.propose(
                    command, deadline_s=deadline_s, alone=False
                )
        except TimeoutError:
            raise OutcomeUnknown("no answer by the deadline") from None
        codes = proposed.outcome.items
        if len(codes) != len(answers):
            raise InternalRefusal("the renewal was refused")
        return proposed.index, codes


def _fail(answer: "asyncio.Future[Renewed]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # read: it may be that nobody waits for it any more
