"""A crash between a snapshot's rename and the compaction of the log loses no entry.

All replicas make a snapshot at about the same time. Its file is there; the processes
are killed before the log was compacted, and after more writes were acknowledged. The
library clears a log whose first entries are not the dump's.
"""

from dataclasses import replace
from typing import Any

from cluster.entry import NO_OP
from cluster.raft.journal import RaftJournal
from cluster.raft.recovery import Recovery
from tests.scenarios.support_actor import Attempt, HandNode
from tests.scenarios.support_stage import Stage


class ClearsTheLog(HandNode):
    """As released: snapshot and log must begin alike, or the log is cleared."""

    def __init__(
        self,
        config: Any,
        surroundings: Any,
        ledger: Any,
        recovery: Recovery,
        *rest: Any,
    ) -> None:
        newest, former = recovery.newest, recovery.journal
        if newest is not None and former.first_index != newest.index:
            base = [(NO_OP, newest.index, newest.term)]
            term, vote = former.getCurrentTerm(), former.getVotedForNodeId()
            journal = RaftJournal(base, term, vote, newest.index)
            journal.reset(newest.index, newest.term)
            recovery = replace(recovery, journal=journal)
        super().__init__(config, surroundings, ledger, recovery, *rest)


async def _play(*lacking: type) -> tuple[Stage, list[Attempt]]:
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    for number in range(5):
        stage["a"].propose(b"early%d" % number)
    stage.run()
    for actor in stage.actors.values():
        actor.bulk_worker.eager = False
        actor.node.compaction.make()
    late = [stage["a"].propose(b"late%d" % number) for number in range(5)]
    stage.run()
    assert all(attempt.acknowledged() for attempt in late)
    for actor in stage.actors.values():
        job, _, _ = actor.bulk_worker.jobs.popleft()
        job()  # the file is complete; nobody is told before the process ends
    for actor in stage.actors.values():
        actor.kill()
    stage.clear()
    for name in "abc":
        await stage.restart(name)
    stage.elect("b", "a", "c")
    stage.run()
    assert stage["b"].leads
    return stage, late


async def test_a_log_that_reaches_beyond_the_snapshot_is_kept() -> None:
    """Everything acknowledged is there after all three were killed."""
    stage, late = await _play()

    expected = [b"early%d" % n for n in range(5)] + [late_.command for late_ in late]
    assert all(state == expected for state in stage.states().values())


async def test_without_alignment_acknowledged_writes_are_lost_everywhere() -> None:
    """The defect: five acknowledged writes, which three logs held, are gone."""
    stage, late = await _play(ClearsTheLog)

    early = [b"early%d" % number for number in range(5)]
    assert all(attempt.acknowledged() for attempt in late)
    assert all(state == early for state in stage.states().values())
