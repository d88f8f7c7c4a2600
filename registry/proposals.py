"""Catalog commands on their way into the log, and their outcomes on the way back.

The one place that encodes a command and says which schema it needs. A caller that is
cancelled takes along a command that was not proposed yet; one that was may take effect.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from registry.catalog.commands import AnyCommand, needing
from registry.catalog.outcomes import Code, Outcome, decode
from registry.errors import RegistryError
from registry.ports import Clock, Consensus

TOOK_EFFECT = frozenset((Code.OK, Code.REVIVED, Code.UNCHANGED))

_encoder = msgspec.msgpack.Encoder()


class ProposalObserver(Protocol):
    """Hears of each proposal's end; must not block."""

    def observe_proposal(self, result: str, latency_s: float) -> None:
        """``result`` is ``committed``, ``refused`` or an error's stable code."""


class Proposed(msgspec.Struct, frozen=True, gc=False):
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
        encoded = _encoder.encode(command)
        try:
            committed = await self._consensus.propose(
                encoded, deadline_s=deadline_s, schema=schema
            )
        except RegistryError as error:
            self._observer.observe_proposal(error.code, self._clock.now_s() - started_s)
            raise
        outcome = decode(committed.outcome)
        result = "committed" if outcome.code in TOOK_EFFECT else "refused"
        self._observer.observe_proposal(result, self._clock.now_s() - started_s)
        return Proposed(committed.position, outcome)
