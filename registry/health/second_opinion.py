"""Second opinion, the leader's side: is it the service, or is it our own network?

    suspect --gathered 20 ms, <= 64--> Suspect in the log --Opinions, or time--> verdict

The leader's own failure is one vote (none, if something of its own kept it from
probing). Unhealthy if more than half of all votes failed; it is told as soon as the
answers still to come cannot change it. Who does not answer in time has no vote. A
leader that nobody answers decides nothing, unless it is the only member: it may be cut
off itself, and what is really dead ends with its lease (a permanent one is asked about
until somebody answers).

At most 256 questions are open, as many as a replica answers at once: more would be
answered too late. The rest wait, once per instance.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from registry.catalog.commands import Key, Opinion, Suspect, Suspicion
from registry.errors import RegistryError
from registry.health.watched import Watched
from registry.model import ServiceId
from registry.ports import Clock, ClusterView, DutyObserver
from registry.proposals import Proposals

GATHER_S = 0.02
MOST_ITEMS = 64
MOST_OPEN = 256
DEADLINE_S = 5.0
ANSWER_S = 2.0
"""Beside the time-out of the probe: the way there and back through the log."""


@dataclass(slots=True, eq=False)
class Question:
    """One suspected instance, and the votes about it by replica."""

    watched: Watched
    own: tuple[str, ...]
    """The leader's own vote, that it failed; or none."""
    failed: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    """The votes of the others."""

    @property
    def is_dead(self) -> bool:
        """Whether most of the votes so far say so."""
        return len(self.own) + len(self.failed) > len(self.passed)

    @property
    def is_answered(self) -> bool:
        """Whether anybody else has given an opinion."""
        return bool(self.failed or self.passed)

    def is_decided(self, others: int) -> bool:
        """Whether no answer of these many others can change it."""
        voters = len(self.own) + others
        failed = len(self.own) + len(self.failed)
        return 2 * failed > voters or 2 * len(self.passed) >= voters


@dataclass(slots=True, eq=False)
class Round:
    """The questions of one Suspect that are not decided yet."""

    others: frozenset[str]
    questions: dict[tuple[ServiceId, int], Question]
    decided: asyncio.Event


class Judge(Protocol):
    """Who asked."""

    def decided(self, watched: Watched, *, failed: tuple[str, ...], dead: bool) -> None:
        """Hear who could not reach it, and whether those are the most."""

    def undecided(self, watched: Watched) -> None:
        """The question did not get into the log, or nobody answered."""


class SecondOpinion:
    """Asks the other replicas about instances. Owned by one leadership."""

    def __init__(
        self,
        *,
        judge: Judge,
        proposals: Proposals,
        clock: Clock,
        view: Callable[[], ClusterView],
        observer: DutyObserver,
    ) -> None:
        self._judge = judge
        self._proposals = proposals
        self._clock = clock
        self._view = view
        self._observer = observer
        self._waiting: OrderedDict[Key, Watched] = OrderedDict()
        self._open: dict[Key, Question] = {}
        self._proposed: dict[tuple[int, tuple[Suspicion, ...]], Round] = {}
        """Suspects that are on their way into the log, by time and items."""
        self._last_at_ms = 0
        self._rounds: dict[int, Round] = {}
        """By position of the Suspect."""
        self._wake = asyncio.Event()

    def ask(self, watched: Watched) -> None:
        """Ask soon, unless this is being asked."""
        if watched.key not in self._open:
            self._waiting[watched.key] = watched
            self._wake.set()

    def withdraw(self, key: Key) -> None:
        """Ask no more, decide nothing: it passed, or is another or gone."""
        self._waiting.pop(key, None)
        question = self._open.pop(key, None)
        if question is not None:
            self._wake.set()

    def suspected(self, position: int, command: Suspect) -> None:
        """Note where our own question stands in the log: before any answer can."""
        asked = self._proposed.pop((command.at_ms, command.items), None)
        if asked is not None:
            self._rounds[position] = asked

    def opined(self, command: Opinion) -> None:
        """Count an answer. Called within ``apply``: verdicts follow in the round."""
        asked = self._rounds.get(command.suspect)
        if asked is None or command.replica not in asked.others:
            return
        for item in command.items:
            question = asked.questions.get((item.service_id, item.generation))
            if question is None or command.replica in question.failed + question.passed:
                continue
            (question.passed if item.passed else question.failed).append(
                command.replica
            )
            self._observer.observe_opinion("disagreed" if item.passed else "agreed")
        asked.decided.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                if len(self._waiting) < MOST_ITEMS:
                    await asyncio.sleep(GATHER_S)
                self._wake.clear()
                while self._waiting and len(self._open) < MOST_OPEN:
                    questions = self._take()
                    group.create_task(self._ask(questions))

    def _take(self) -> list[Question]:
        me = self._view().node_id
        count = min(MOST_ITEMS, MOST_OPEN - len(self._open), len(self._waiting))
        questions = []
        for _ in range(count):
            key, watched = self._waiting.popitem(last=False)
            self._open[key] = question = Question(
                watched, (me,) if watched.fails_here else ()
            )
            questions.append(question)
        return questions

    async def _ask(self, questions: list[Question]) -> None:
        view = self._view()
        others = frozenset(
            m.node_id for m in view.members if m.connected and m.node_id != view.node_id
        )
        watched = [question.watched for question in questions]
        asked = Round(
            others,
            {(q.watched.service_id, q.watched.generation): q for q in questions},
            asyncio.Event(),
        )
        items = tuple([Suspicion(w.service_id, w.generation) for w in watched])
        try:
            if others:
                await self._propose(items, asked, view.node_id)
                wait_s = max(w.plan.timeout_s for w in watched) + ANSWER_S
                await self._hear(asked, wait_s)
            is_alone = len(view.members) <= 1
            for question in list(asked.questions.values()):
                if is_alone or question.is_answered:
                    self._tell(asked, question)
                elif self._close(question):
                    # Cut off from the others as from the instance: no verdict.
                    self._judge.undecided(question.watched)
        except RegistryError:
            for question in questions:
                if self._close(question):
                    self._judge.undecided(question.watched)
        finally:
            self._forget(asked)
            for question in questions:
                self._close(question)

    async def _propose(
        self, items: tuple[Suspicion, ...], asked: Round, me: str
    ) -> None:
        # No two of ours have the same time: one may be asked again while the first
        # question about it is still on its way.
        at_ms = self._last_at_ms = max(self._clock.wall_ms(), self._last_at_ms + 1)
        command = Suspect(items=items, replica=me, at_ms=at_ms)
        self._proposed[(at_ms, items)] = asked
        deadline_s = self._clock.now_s() + DEADLINE_S
        await self._proposals.propose(command, deadline_s=deadline_s)

    def _forget(self, asked: Round) -> None:
        for proposed in [k for k, r in self._proposed.items() if r is asked]:
            del self._proposed[proposed]
        for position in [p for p, r in self._rounds.items() if r is asked]:
            del self._rounds[position]

    async def _hear(self, asked: Round, wait_s: float) -> None:
        """Tell each verdict once it stands; end with the last, or after the time."""
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    asked.decided.clear()
                    for question in list(asked.questions.values()):
                        if question.is_decided(len(asked.others)):
                            self._tell(asked, question)
                    if not asked.questions:
                        return
                    await asked.decided.wait()
        except TimeoutError:
            return

    def _tell(self, asked: Round, question: Question) -> None:
        watched = question.watched
        del asked.questions[(watched.service_id, watched.generation)]
        if self._close(question):
            failed = (*question.own, *sorted(question.failed))
            self._judge.decided(watched, failed=failed, dead=question.is_dead)

    def _close(self, question: Question) -> bool:
        """Make room for the next; False if it was withdrawn, or closed before."""
        key = question.watched.key
        if self._open.get(key) is not question:
            return False
        del self._open[key]
        if self._waiting:
            self._wake.set()
        return True
