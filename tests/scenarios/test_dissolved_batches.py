"""Who is told "refused" is not in the log later: a certainly refused batch dissolves.

B has no leader. Two callers share its batch; the first one's deadline passes before a
leader is there.
"""

import asyncio
from functools import partial

import pytest

from cluster.batcher import RETRY_S, Batcher
from cluster.config import Limits, Timing
from cluster.errors import NoLeader, Refused
from cluster.flight import Flight
from cluster.raft import proposals
from cluster.status import Applied
from tests.scenarios.support_stage import Stage
from tests.support.virtual import virtually


class KeepsTheBatch(Batcher):
    """Without the repair: what was refused is proposed again as it is."""

    def _dissolve(self, _: Flight) -> None:
        self._cancel_timer()
        self._timer = self._loop.call_later(RETRY_S, self._attempt)

    def _expire(self, now_s: float, error: Refused) -> None:
        if self._flight is not None and not self._flight.maybe_logged:
            for waiter in self._flight.waiters:
                waiter.expire(now_s, error)
        super()._expire(now_s, error)


async def _play(kind: type[Batcher]) -> tuple[Stage, "asyncio.Future[Applied]"]:
    stage = await Stage.open("abc")
    node = stage["b"].node
    batcher = kind(
        "b",
        b"b0000001",
        partial(proposals.submit, node),
        timing=Timing(),
        limits=Limits(),
    )
    now_s = asyncio.get_running_loop().time()
    early = batcher.propose(b"early", now_s + 0.2)
    late = batcher.propose(b"late", now_s + 5.0)
    while not early.done():
        await asyncio.sleep(0.01)
        stage["b"].tick()
    with pytest.raises(NoLeader):
        early.result()
    stage.elect("a", "b", "c")
    for _ in range(20):
        await asyncio.sleep(0.01)
        stage.run(1)
    return stage, late


@virtually
async def test_who_was_refused_is_not_in_the_log() -> None:
    """The others of the batch are proposed under a number of their own."""
    stage, late = await _play(Batcher)

    assert late.result().outcome == b"late"
    assert stage.states() == {"a": [b"late"], "b": [b"late"], "c": [b"late"]}


@virtually
async def test_without_the_repair_a_refused_command_is_done_after_all() -> None:
    """The defect: its caller has retried elsewhere meanwhile, and it is done twice."""
    stage, late = await _play(KeepsTheBatch)
    both = [b"early", b"late"]

    assert late.result().outcome == b"late"
    assert stage.states() == {"a": both, "b": both, "c": both}
