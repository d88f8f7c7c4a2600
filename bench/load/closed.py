"""The closed loop: each connection sends its next request when it has its answer.

It finds how much a server can do. It says nothing about latency: a server that stops is
not asked meanwhile, so the requests that would have waited are never counted.
"""

import time

from bench.load.connections import Connection, Connections
from bench.load.spec import Load, Result
from bench.load.tally import Tally

LOOK_S = 0.02
LAST_S = 2.0
"""How long an answer is waited for when the time is over."""


class ClosedLoop:
    """One load, for as long and as often as wanted, over connections that are kept.

    Invariant: between two runs nothing is under way.
    """

    def __init__(self, load: Load) -> None:
        self._requests = iter(load.stream)
        self._connections = Connections(load.urls, load.connections)
        self._idle: list[Connection] = []

    def run(self, seconds: float) -> Result:
        """Keep all connections busy for so long, then wait for the last answers.

        What has no answer then, or lost its connection, is an error.
        """
        connections, clock = self._connections, time.perf_counter
        began_s = now_s = clock()
        until_s = began_s + seconds
        tally = Tally(began_s, seconds)
        for connection in self._idle:
            connections.send(connection, next(self._requests), now_s)
        self._idle = []
        while now_s < until_s or (now_s < until_s + LAST_S and connections.sent_at_s()):
            if connections.are_lost and now_s < until_s:
                for connection in connections.connect(now_s):
                    connections.send(connection, next(self._requests), now_s)
            for connection, is_success, is_open in connections.answered(LOOK_S):
                tally.count(is_success=is_success, now_s=now_s)
                connection.sent_at_s = 0.0
                if is_open and now_s < until_s:
                    connections.send(connection, next(self._requests), now_s)
                elif is_open:
                    self._idle.append(connection)
                elif connection in self._idle:
                    self._idle.remove(connection)
            now_s = clock()
        return Result(
            requests=tally.requests,
            errors=tally.errors + len(connections.sent_at_s()),
            seconds=now_s - began_s,
            latency_us={},
            rate_by_second=tally.rate_by_second(now_s - began_s),
            generator="ours",
        )

    def close(self) -> None:
        """End all connections."""
        self._connections.close()


def run_closed(load: Load) -> Result:
    """Keep all connections busy for the time given."""
    loop = ClosedLoop(load)
    try:
        return loop.run(load.seconds)
    finally:
        loop.close()
