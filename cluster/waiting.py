"""Who waits for a place in a batch: bounded in count and bytes, in order of arrival."""

from collections import deque

from cluster.config import Limits
from cluster.errors import ClusterError, Overloaded
from cluster.flight import Waiter


class WaitingRoom:
    """Commands and barriers that are in no batch yet.

    Invariant: ``_bytes`` is the size of all commands in it.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiters: deque[Waiter] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiters)

    def admit(self, waiter: Waiter) -> None:
        """Let one more wait. Raises Overloaded when there is no room."""
        size = len(waiter.command or b"")
        if (
            len(self._waiters) >= self._limits.waiting_commands
            or self._bytes + size > self._limits.waiting_bytes
        ):
            message = f"{len(self._waiters)} commands are waiting already"
            raise Overloaded(message)
        self._waiters.append(waiter)
        self._bytes += size

    def put_back(self, waiters: list[Waiter]) -> None:
        """Let these wait again, before all others (even beyond the bounds)."""
        self._waiters.extendleft(reversed(waiters))
        self._bytes += sum(len(waiter.command or b"") for waiter in waiters)

    def take(self) -> tuple[list[Waiter], list[bytes]]:
        """Remove as many as fit into one entry; return them and their commands."""
        taken: list[Waiter] = []
        commands: list[bytes] = []
        size = 0
        while self._waiters and len(commands) < self._limits.entry_commands:
            command = self._waiters[0].command
            length = len(command or b"")
            if commands and size + length > self._limits.entry_bytes:
                break
            waiter = self._waiters.popleft()
            self._bytes -= length
            if waiter.future.done():
                continue  # its caller went away before it was proposed
            taken.append(waiter)
            if command is not None:
                commands.append(command)
                size += length
        return taken, commands

    def expire(self, now_s: float, error: ClusterError) -> tuple[int, float]:
        """Refuse whose deadline has passed; return how many, and the next deadline."""
        kept: deque[Waiter] = deque()
        expired, earliest_s = 0, float("inf")
        for waiter in self._waiters:
            if waiter.expire(now_s, error):
                expired += 1
            if waiter.future.done():
                self._bytes -= len(waiter.command or b"")
            else:
                kept.append(waiter)
                earliest_s = min(earliest_s, waiter.deadline_s)
        self._waiters = kept
        return expired, earliest_s
