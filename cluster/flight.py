"""The batch under way, who waits for it, and how an attempt to propose it can end."""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from cluster.errors import ClusterError, NoLeader, OutcomeUnknown, Refused
from cluster.ledger import BatchResult
from cluster.state_machine import POSITIONS_PER_INDEX
from cluster.status import Applied


class Verdict(Enum):
    """How one attempt to propose a batch ended."""

    DONE = auto()
    REFUSED = auto()
    """Certainly not in the log by this attempt."""
    OVERLOADED = auto()
    """Refused because the leader's queue is full."""
    UNKNOWN = auto()


Answer = Callable[[Verdict, BatchResult | None], None]


class Waiter(NamedTuple):
    """One caller: its command, and when it stops waiting."""

    command: bytes | None
    """None for a barrier, which needs no place in the entry."""
    future: "asyncio.Future[Applied]"
    deadline_s: float

    def expire(self, now_s: float, error: ClusterError) -> bool:
        """Answer by ``error`` if the deadline has passed; return whether it just
        did.
        """
        if self.future.done() or now_s < self.deadline_s:
            return False
        if self.command is None and isinstance(error, OutcomeUnknown):
            error = NoLeader(str(error))  # a barrier changes nothing: a retry is safe
        self.future.set_exception(error)
        return True


class Flight:
    """One numbered batch from its first attempt to its end."""

    __slots__ = ("attempt", "maybe_logged", "number", "open", "payload", "waiters")

    def __init__(self, number: int, payload: bytes, waiters: list[Waiter]) -> None:
        self.number = number
        self.payload = payload
        self.waiters = waiters
        self.attempt = 0
        self.open = False
        """Whether an attempt was made and has not been answered."""
        self.maybe_logged = False

    def resolve(self, result: BatchResult) -> None:
        """Give every waiter its place and outcome."""
        base = result.index * POSITIONS_PER_INDEX
        place = 0
        for command, future, _ in self.waiters:
            outcome = b""
            position = base
            if command is not None:
                outcome = result.outcomes[place]
                position = base + place
                place += 1
            if not future.done():
                future.set_result(Applied(position, outcome))

    def fail(self, error: Refused) -> None:
        """Refuse every waiter."""
        for waiter in self.waiters:
            if not waiter.future.done():
                waiter.future.set_exception(error)

    def expire(self, now_s: float) -> tuple[int, float]:
        """Answer whose deadline has passed; return how many, and the next deadline.

        A batch under way was proposed, and not certainly refused: so "unknown".
        """
        error = OutcomeUnknown("not confirmed until the deadline")
        expired = sum(waiter.expire(now_s, error) for waiter in self.waiters)
        left = [w.deadline_s for w in self.waiters if not w.future.done()]
        return expired, min(left, default=float("inf"))
