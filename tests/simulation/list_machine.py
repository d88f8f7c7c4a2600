"""A small state machine that shows every fault of replication: lists that only grow.

Each value is appended once in the whole run, so a lost, doubled or reordered command
is visible in the lists. The outcome of an append is the list's new length, that of a
read the list: enough for the linearizability checker.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from tests.support.history import Operation
from tests.support.wgl import IMPOSSIBLE


class ListCommand(NamedTuple):
    """What clients propose; ``boom`` raises in every replica (a value all the same)."""

    op: str
    key: str
    value: int
    padding: bytes = b""

    def encode(self) -> bytes:
        """Render for the log."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> "ListCommand":
        """Parse from the log."""
        return msgspec.msgpack.decode(data, type=cls)


class ListMachine:
    """Implements ``cluster.state_machine.StateMachine``."""

    def __init__(self) -> None:
        self._lists: dict[str, list[int]] = {}

    def read(self, key: str) -> tuple[int, ...]:
        """Return the list as it is now."""
        return tuple(self._lists.get(key, ()))

    def content(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Return everything, to be compared with other replicas."""
        return tuple((k, tuple(v)) for k, v in self._lists.items())

    def apply(self, position: int, command: bytes) -> bytes:
        """See StateMachine."""
        asked = ListCommand.decode(command)
        if asked.op == "boom":
            raise ValueError("a deterministic mistake in a handler")
        if asked.op == "read":
            return msgspec.msgpack.encode(self._lists.get(asked.key, []))
        values = self._lists.setdefault(asked.key, [])
        values.append(asked.value)
        return msgspec.msgpack.encode(len(values))

    def applied(self, index: int) -> None:
        """Nobody watches."""

    def snapshot(self) -> Iterable[bytes]:
        """One chunk per key; lists are copied now, chunks are made later."""
        copied = [(key, list(values)) for key, values in self._lists.items()]
        return (msgspec.msgpack.encode(item) for item in copied)

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """See StateMachine."""
        lists: dict[str, list[int]] = {}
        for chunk in chunks:
            try:
                key, values = msgspec.msgpack.decode(chunk, type=tuple[str, list[int]])
            except msgspec.DecodeError as error:
                raise ValueError(str(error)) from error
            lists[key] = values
            yield
        self._lists = lists


def list_step(state: Hashable, operation: Operation) -> Hashable:
    """The model of one list for the checker: its state is the tuple of its values.

    The result of an append that nobody answered was looked up in the log.
    """
    assert isinstance(state, tuple)
    if operation.op == "append":
        if operation.result != len(state) + 1:
            return IMPOSSIBLE
        return (*state, operation.argument)
    return state if operation.result == state else IMPOSSIBLE
