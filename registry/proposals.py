"""Catalog commands on their way into the log, and their outcomes on the way back.

The one place that encodes a command and says which schema it needs. A proposal once
made is not withdrawn when its caller goes away: it is shielded, so a client that hangs
up leaves nothing half done, and its deadline bounds how long it lives.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from registry.catalog.commands import AnyCommand, needing
from registry.catalog.outcomes import Code, Outcome, decode
from registry.errors import RegistryError
from registry.ports import Clock, Committed, Consensus

TOOK_EFFECT = frozenset((Code.OK, Code.REVIVED, Code.UNCHANGED))

_encoder = msgspec.msgpack.Encoder()


class ProposalObserver(Protocol):
    """Hears of each proposal's end; must not block."""

    def observe_proposal(self, result: str, latency_s: float) -> None:
        """``result`` is ``committed``, ``refused`` or an error's stable code."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A command that is in the log: where, and what the catalog answered."""

    position: int
    outcome: Outcome

    @property
    def index(self) -> int:
        """The log index of the entry that held it."""
        return self.position >> 8


class Proposals:
    """Proposes commands for the use cases and the duties of one replica."""

    def __init__(
        self, consensus: Consensus, clock: Clock, observer: ProposalObserver
    ) -> None:
        self._consensus = consensus
        self._clock = clock
        self._observer = observer
        self._under_way: set[asyncio.Task[Committed]] = set()
        self.before_each: Callable[[], None] = lambda: None
        """Called before a command is proposed: what waits for company may join it."""

    async def propose(
        self, command: AnyCommand, *, deadline_s: float, alone: bool = True
    ) -> Proposed:
        """Replicate one command. Raises a leaf of NotReplicated, or OutcomeUnknown.

        Not ``alone``: it is itself what was waiting for company.
        """
        if alone:
            self.before_each()
        started_s = self._clock.now_s()
        schema = needing(command)
        if command.schema != schema:
            command = msgspec.structs.replace(command, schema=schema)
        task = asyncio.ensure_future(
            self._consensus.propose(
                _encoder.encode(command), deadline_s=deadline_s, schema=schema
            )
        )
        self._under_way.add(task)
        task.add_done_callback(self._settled)
        try:
            committed = await asyncio.shield(task)
        except RegistryError as error:
            self._observer.observe_proposal(error.code, self._clock.now_s() - started_s)
            raise
        outcome = decode(committed.outcome)
        result = "committed" if outcome.code in TOOK_EFFECT else "refused"
        self._observer.observe_proposal(result, self._clock.now_s() - started_s)
        return Proposed(committed.position, outcome)

    def _settled(self, task: asyncio.Task[Committed]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Read it: the caller may be gone, and asyncio would complain.
            task.exception()
