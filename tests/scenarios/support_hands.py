"""What a script holds in its hands: a clock, workers, links and a machine.

Nothing here happens on its own: time, syncs and frames move when the script says so.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NoReturn, TypeVar

from cluster.ports import LinkEvents
from cluster.state_machine import UnknownCommand

T = TypeVar("T")

NO_BOUND = 1 << 62


class Died(BaseException):
    """A replica ended itself; the message is its reason."""


def die(reason: str) -> NoReturn:
    """End the replica whose code is running."""
    raise Died(reason)


class HandClock:
    """The library's time: stands still but for a little per look, like real clocks."""

    def __init__(self) -> None:
        self._now_s = 1000.0

    def now_s(self) -> float:
        """Return the time, and let a microsecond pass."""
        self._now_s += 1e-6
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds


class HandWorker:
    """A worker thread whose jobs run at once, or when released (``eager`` false)."""

    def __init__(self) -> None:
        self.eager = True
        self.jobs: deque[tuple[Any, Any, Any]] = deque()
        self.logged: list[Exception] = []
        """What callbacks raised; an event loop logs that and goes on."""

    def submit(
        self,
        job: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Queue ``job``."""
        self.jobs.append((job, done, failed))
        if self.eager:
            self.release()

    def release(self, count: int | None = None) -> None:
        """Run the first ``count`` jobs (all by default) and tell their results."""
        while self.jobs and count != 0:
            count = None if count is None else count - 1
            job, done, failed = self.jobs.popleft()
            try:
                answer: Any = partial(done, job())
            except Exception as error:
                answer = partial(failed, error)
            try:
                answer()
            except Exception as error:
                self.logged.append(error)

    async def close(self) -> None:
        """Run what is left."""
        self.release()


class Wires:
    """All frames under way, in order per (source, destination)."""

    def __init__(self) -> None:
        self.queues: defaultdict[tuple[str, str], deque[bytes]] = defaultdict(deque)
        self.linked: set[tuple[str, str]] = set()


class HandLinks:
    """The ``Links`` of one replica: frames go to the wires, and stay there."""

    def __init__(self, wires: Wires, node_id: str) -> None:
        self._wires = wires
        self._node_id = node_id
        self.dropped: list[str] = []
        self.buffer_bytes = NO_BOUND
        """With more under way to a peer its link ends."""
        self.overflowed: list[str] = []

    async def start(self, events: LinkEvents) -> None:
        """Nothing to bind."""

    def send(self, peer: str, frame: bytes) -> bool:
        """Put a frame on the wire, if there is one."""
        key = (self._node_id, peer)
        if key not in self._wires.linked:
            return False
        queue = self._wires.queues[key]
        waiting_bytes = sum(map(len, queue)) + len(frame)
        if waiting_bytes > self.buffer_bytes:
            self._wires.linked.discard(key)
            queue.clear()
            self.overflowed.append(peer)
            return False
        queue.append(frame)
        return True

    def drop(self, peer: str) -> None:
        """Note that the link was ended."""
        self.dropped.append(peer)

    async def close(self) -> None:
        """Nothing to release."""


class Notebook:
    """A state machine that writes every command down, so that nothing hides."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []
        self.wrong: dict[bytes, bytes] = {}
        """Commands that this replica alone answers otherwise."""
        self.applied_indexes: list[int] = []

    def apply(self, _: int, command: bytes) -> bytes:
        """Write ``command`` down and answer with it.

        "poison…" is a handler's mistake, "future…" a command of a later version.
        """
        if command.startswith(b"poison"):
            raise ValueError(command)
        if command.startswith(b"future"):
            raise UnknownCommand(command)
        self.commands.append(command)
        return self.wrong.get(command, command)

    def applied(self, index: int) -> None:
        """Note that the entry is complete."""
        self.applied_indexes.append(index)

    def snapshot(self) -> Iterable[bytes]:
        """Return all commands, one a chunk."""
        return list(self.commands)

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """Take over all commands."""
        restored = []
        for chunk in chunks:
            restored.append(chunk)
            yield
        self.commands = restored
