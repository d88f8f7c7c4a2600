"""The open loop: requests at a fixed rate, whatever becomes of those before them.

The latency of each counts from when it should have been sent. One that had to wait for
a connection, because the server was busy with all of them, counts that wait as well: no
coordinated omission. It spins while the next request is near: a sleeping process would
wake up late, and that would be taken for the server's latency.
"""

import time
from array import array
from collections import deque

import msgspec

from bench.load.connections import Connection, Connections
from bench.load.histogram import new_histogram, percentiles
from bench.load.spec import Load, Result
from bench.load.tally import Tally

NEAR_S = 0.002
"""A poll may take so much longer than asked for: nearer than this it does not wait."""
PATIENT_S = 0.001
LINGER_S = 5.0
"""How long the last requests may take; what is not answered then is an error."""


class Schedule:
    """When requests are to be sent: evenly, from ``began_s`` on. Pure."""

    def __init__(self, began_s: float, *, rate_per_s: float, seconds: float) -> None:
        self._began_s = began_s
        self._rate_per_s = rate_per_s
        self._left = range(round(rate_per_s * seconds))

    @property
    def next_s(self) -> float | None:
        """When the next one is to be sent; None: there is none left."""
        if not self._left:
            return None
        return self._began_s + self._left[0] / self._rate_per_s

    def due(self, now_s: float) -> list[float]:
        """Take those whose time has come, and return these times."""
        ready: list[float] = []
        next_s = self.next_s
        while next_s is not None and next_s <= now_s:
            ready.append(next_s)
            self._left = self._left[1:]
            next_s = self.next_s
        return ready


class _Lane:
    """One rate: its connections, what is due, and what became of it.

    Invariant: a connection that is open is in ``_idle``, or its ``sent_at_s`` is set.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._requests = iter(load.stream)
        self._connections = Connections(load.urls, load.connections)
        self._idle = list(self._connections.connect(time.perf_counter()))
        self._waiting: deque[float] = deque()
        self._took_s = array("d")
        self._under_way = 0
        self._schedule = Schedule(0.0, rate_per_s=1.0, seconds=0.0)
        self._tally = Tally(0.0, load.seconds)

    def begin(self, now_s: float) -> None:
        """Count from now on."""
        load = self._load
        assert load.rate_per_s is not None
        self._schedule = Schedule(
            now_s, rate_per_s=load.rate_per_s, seconds=load.seconds
        )
        self._tally = Tally(now_s, load.seconds)

    @property
    def is_over(self) -> bool:
        """Whether all was sent and answered."""
        nothing_left = self._schedule.next_s is None and not self._waiting
        return nothing_left and not self._under_way

    def timeout_s(self, now_s: float) -> float:
        """Return how long it may wait for answers."""
        if self._load.is_patient:
            return PATIENT_S
        next_s = self._schedule.next_s
        if next_s is None:
            return NEAR_S
        return max(0.0, next_s - now_s - NEAR_S)

    def send(self, now_s: float) -> None:
        """Send what is due, as far as connections are free."""
        self._waiting.extend(self._schedule.due(now_s))
        if self._connections.are_lost:
            self._idle.extend(self._connections.connect(now_s))
        while self._waiting and self._idle:
            intended_s = self._waiting.popleft()
            self._connections.send(self._idle.pop(), next(self._requests), intended_s)
            self._under_way += 1

    def receive(self, timeout_s: float) -> None:
        """Take the answers that are there, or come within this time."""
        for connection, is_success, is_open in self._connections.answered(timeout_s):
            if connection.sent_at_s:
                self._count(connection, is_success=is_success)
            if is_open:
                self._idle.append(connection)
            elif connection in self._idle:
                self._idle.remove(connection)

    def _count(self, connection: Connection, *, is_success: bool) -> None:
        now_s = time.perf_counter()
        self._under_way -= 1
        self._took_s.append(now_s - connection.sent_at_s)
        self._tally.count(is_success=is_success, now_s=now_s)
        connection.sent_at_s = 0.0

    def end(self, now_s: float) -> Result:
        """Return what became of it. What has no answer took at least until now."""
        unanswered = [*self._connections.sent_at_s(), *self._waiting]
        self._took_s.extend(now_s - intended_s for intended_s in unanswered)
        self._connections.close()
        seconds = self._load.seconds
        return Result(
            requests=self._tally.requests,
            errors=self._tally.errors + len(unanswered),
            seconds=seconds,
            latency_us=percentiles(self._took_s),
            rate_by_second=self._tally.rate_by_second(seconds),
            generator="ours",
        )


def run_open(load: Load) -> Result:
    """Send at the rate for the time given, then wait for what is under way."""
    new_histogram()  # missing, it should be told before the load and not after it
    lanes = [_Lane(one) for one in (load, *load.beside)]
    clock = time.perf_counter
    now_s = clock()
    until_s = now_s + load.seconds + LINGER_S
    for lane in lanes:
        lane.begin(now_s)
    is_alone = len(lanes) == 1
    while now_s < until_s and not all(lane.is_over for lane in lanes):
        for lane in lanes:
            lane.send(now_s)
            lane.receive(lane.timeout_s(now_s) if is_alone else 0.0)
            now_s = clock()
    first, *rest = [lane.end(now_s) for lane in lanes]
    return msgspec.structs.replace(first, beside=tuple(rest))
