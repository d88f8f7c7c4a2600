"""The batch under way, who waits for it, and how an attempt to propose it can end."""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from cluster.errors import Refused
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
