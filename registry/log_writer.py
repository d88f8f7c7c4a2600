"""Brings log lines to a stream on a thread of its own, however slow the stream is.

Owns the lines between the event loop and stdout. A reader of our stdout that has
stopped to read (a stuck log shipper, a paused terminal) must not stop a replica: so the
loop only queues, and what does not fit is dropped, counted, and told in one line when
the stream flows again. Lines keep their order.
"""

import contextlib
import io
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

MAX_LINES = 10_000
MAX_BYTES = 8 * 1024 * 1024
_BATCH_LINES = 256

Write = Callable[[bytes], None]
Dropped = Callable[[int], str]


class LineWriter:
    """A bounded queue of lines, and the one thread that writes them.

    Invariant: the lines held, those being written included, are at most ``max_lines``
    of ``max_bytes``, beside the one line that tells of a loss.
    """

    def __init__(
        self,
        write: Write,
        *,
        dropped: Dropped,
        max_lines: int = MAX_LINES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """``write`` may block and may raise; ``dropped`` makes the line of a loss."""
        self._write = write
        self._dropped_line = dropped
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        # Reentrant (Condition's default): a __del__ that logs can run anywhere.
        self._changed = threading.Condition()
        self._queue: deque[bytes] = deque()
        self._writing = 0
        self._bytes = 0
        self._dropped = 0
        # A daemon: a stream that blocks for ever must not keep the process alive.
        threading.Thread(target=self._run, name="log-lines", daemon=True).start()

    def put(self, line: str) -> None:
        """Queue one line, given without its end, or drop it; never waits for I/O."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._changed:
            held = len(self._queue) + self._writing
            full = held >= self._max_lines or self._bytes + len(data) > self._max_bytes
            # Once one is lost, all are until its loss is queued: order is kept.
            if self._dropped or (held and full):
                self._dropped += 1
            else:
                self._add(data)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all is written; False if that took too long."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout_s)

    def _is_idle(self) -> bool:
        return not (self._queue or self._writing or self._dropped)

    def _is_half_empty(self) -> bool:
        """Not at the first free place: one line is to tell of the whole loss."""
        return (
            len(self._queue) <= self._max_lines // 2
            and self._bytes <= self._max_bytes // 2
        )

    def _add(self, data: bytes) -> None:
        self._queue.append(data)
        self._bytes += len(data)
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                count = min(len(self._queue), _BATCH_LINES)
                batch = b"".join(self._queue.popleft() for _ in range(count))
                self._writing = count
            # A closed pipe or a full disk behind stdout: nobody is left to tell.
            with contextlib.suppress(Exception):
                self._write(batch)
            with self._changed:
                self._writing = 0
                self._bytes -= len(batch)
                if self._dropped and self._is_half_empty():
                    self._tell_loss()
                self._changed.notify_all()

    def _tell_loss(self) -> None:
        line = self._dropped_line(self._dropped)
        self._dropped = 0
        self._add(line.encode("utf-8", "backslashreplace") + b"\n")


def writing_to(stream: TextIO) -> Write:
    """Return what writes to ``stream``: to its descriptor where there is one.

    Past the stream's buffer, whose lock, held by a blocked thread, would abort the
    interpreter when it ends.
    """
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, io.UnsupportedOperation):
        return lambda data: _write_text(stream, data)
    return lambda data: _write_all(descriptor, data)


def _write_text(stream: TextIO, data: bytes) -> None:
    stream.write(data.decode())
    stream.flush()


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            # Whoever shares our stdout has made it non-blocking.
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()
