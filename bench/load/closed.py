"""The closed loop: each connection sends its next request when it has its answer.

It finds how much a server can do. It says nothing about latency: a server that stops is
not asked meanwhile, so the requests that would have waited are never counted.
"""

import time

from bench.load.connections import Connections
from bench.load.spec import Load, Result
from bench.load.tally import Tally

LOOK_S = 0.02


def run_closed(load: Load) -> Result:
    """Keep all connections busy for the time given."""
    requests = iter(load.stream)
    connections = Connections(load.urls, load.connections)
    clock = time.perf_counter
    began_s = now_s = clock()
    until_s = began_s + load.seconds
    tally = Tally(began_s, load.seconds)
    while now_s < until_s:
        if connections.are_lost:
            for connection in connections.connect(now_s):
                connections.send(connection, next(requests), now_s)
        for connection, is_success, is_open in connections.answered(LOOK_S):
            tally.count(is_success=is_success, now_s=now_s)
            if is_open:
                connections.send(connection, next(requests), now_s)
        now_s = clock()
    connections.close()
    return Result(
        requests=tally.requests,
        errors=tally.errors,
        seconds=now_s - began_s,
        latency_us={},
        rate_by_second=tally.rate_by_second(now_s - began_s),
        generator="ours",
    )
