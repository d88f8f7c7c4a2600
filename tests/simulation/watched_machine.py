"""Between a replica and its state machine: tells the judge of each application.

It also keeps a fingerprint of all that was applied, which travels in snapshots, so
that a restored state is compared with the true one at once.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

import msgspec

from cluster.state_machine import StateMachine
from tests.simulation.judge import Judge, place
from tests.simulation.versions import OLD, understood

M = TypeVar("M")


class Comparable(StateMachine, Protocol):
    """A state machine whose whole state can be compared."""

    def content(self) -> object:
        """Return everything, to be compared with other replicas."""


class WatchedMachine:
    """Implements ``StateMachine`` for one life of a node.

    Invariant: ``position`` never goes back; what is visible is all up to it.
    """

    def __init__(
        self, inner: Comparable, node_id: str, judge: Judge, schema: int = OLD
    ) -> None:
        self.inner = inner
        self.schema = schema
        self.position = 0
        self._node_id = node_id
        self._judge = judge
        self._fingerprint = b""

    def apply(self, position: int, command: bytes) -> bytes:
        """Apply in order, exactly once. Raises UnknownCommand."""
        command = understood(command, self.schema)
        if position <= self.position:
            self._judge.violated(
                f"{self._node_id} applies {place(position)} after "
                f"{place(self.position)}"
            )
        self.position = position
        seed = b"%b%d:%b" % (self._fingerprint, position, command)
        self._fingerprint = hashlib.blake2b(seed, digest_size=16).digest()
        try:
            outcome = self.inner.apply(position, command)
        except Exception:
            self._told(position, command, None)
            raise
        self._told(position, command, outcome)
        return outcome

    def _told(self, position: int, command: bytes, outcome: bytes | None) -> None:
        self._judge.on_apply(self._node_id, position, command, outcome)
        self._judge.on_state(self._node_id, position, self._fingerprint)

    def applied(self, index: int) -> None:
        """Pass on; an index is never published before its commands are applied."""
        if index < self.position >> 8:
            self._judge.violated(
                f"{self._node_id} publishes {index} when at {place(self.position)}"
            )
        self.inner.applied(index)

    def snapshot(self) -> Iterable[bytes]:
        """Put position and fingerprint before the chunks of the machine."""
        head = msgspec.msgpack.encode((self.position, self._fingerprint))
        chunks = self.inner.snapshot()
        self._judge.counts["snapshots"] += 1
        self._judge.on_content(self._node_id, self.position, self.inner.content())

        def all_chunks() -> Iterator[bytes]:
            yield head
            yield from chunks

        return all_chunks()

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """Restore, and compare with what others had at that position."""
        position, fingerprint = msgspec.msgpack.decode(
            next(chunks), type=tuple[int, bytes]
        )
        yield from self.inner.restore(chunks)
        self._judge.counts["restores"] += 1
        if position < self.position:
            self._judge.violated(
                f"{self._node_id} goes back from {place(self.position)} to "
                f"{place(position)} by a snapshot"
            )
        self.position, self._fingerprint = position, fingerprint
        if position:
            self._judge.on_state(self._node_id, position, fingerprint)
        self._judge.on_content(self._node_id, position, self.inner.content())


def inner_of(machine: StateMachine | None, kind: type[M]) -> M:
    """Return the state machine of ``kind`` behind the judge's."""
    assert isinstance(machine, WatchedMachine)
    assert isinstance(machine.inner, kind)
    return machine.inner
