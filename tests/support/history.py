"""What clients asked and were told, with times: the evidence that checkers judge."""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One finished call on one key.

    ``returned_s`` is None when the caller was left without an answer: the operation
    may take effect at any later time, or never; ``result`` then means nothing.
    Calls that certainly had no effect are not operations.
    """

    key: Hashable
    op: str
    argument: Hashable
    result: Hashable
    invoked_s: float
    returned_s: float | None


class History:
    """Operations in the order of their invocation."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []

    def add(self, operation: Operation) -> None:
        """Record a finished operation; calls may finish in any order."""
        self._operations.append(operation)

    def __len__(self) -> int:
        return len(self._operations)

    def by_key(self) -> dict[Hashable, list[Operation]]:
        """Return each key's operations, in the order of their invocation."""
        keys: dict[Hashable, list[Operation]] = {}
        for operation in sorted(self._operations, key=lambda o: o.invoked_s):
            keys.setdefault(operation.key, []).append(operation)
        return keys
