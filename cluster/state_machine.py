"""What the log replicates for: the contract between this package and its user.

The log carries commands of opaque bytes. Each replica applies the same commands at
the same positions in the same order, on its event loop.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

POSITIONS_PER_INDEX = 256
"""An entry holds at most this many commands: position = index * 256 + place."""


class StateMachine(Protocol):
    """Deterministic: the same commands at the same positions give the same state
    everywhere.

    No clock, no randomness, no configuration, no iteration over unordered sets.
    """

    def apply(self, position: int, command: bytes) -> bytes:
        """Change the state; return the outcome, which the proposer receives.

        A refusal is an outcome too. An exception must not depend on the replica: the
        caller turns it into the outcome ``internal_refusal``, except for MemoryError,
        RecursionError and UnknownCommand, which stop the replica.
        """

    def applied(self, index: int) -> None:
        """All commands of the entry at ``index`` were applied: publish what readers
        see.
        """

    def snapshot(self) -> Iterable[bytes]:
        """Return the whole state as chunks of at most 1 MiB.

        Called on the event loop and must return within milliseconds (shallow copies of
        immutable values); the chunks are then drawn in a worker thread.
        """

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """Replace the state by that of ``chunks``, yielding about each millisecond of
        work.

        The former state stays visible until the last step, which swaps the new one in.
        Raises ValueError when a chunk cannot be understood (the replica then stops).
        """


class UnknownCommand(Exception):
    """A command that this version does not know: stop, never skip (I1)."""
