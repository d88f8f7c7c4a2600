"""A snapshot whose transfer breaks is begun anew, and arrives.

A lacks what C's log no longer holds. Only C's link to A breaks, so A does not know of
it, and still has the first pieces when C offers again.
"""

from cluster.raft.wire import SnapshotAck, SnapshotPiece
from tests.scenarios.support_stage import Stage


async def _first_pieces() -> Stage:
    """Return the stage when A has the first piece, and more are under way."""
    stage = await Stage.open("abc")
    stage.elect("c", "a", "b")
    stage.isolate("a")
    for number in range(50):
        stage["c"].propose(b"early%d" % number)
    stage.run(among="bc")
    stage["c"].node.compaction.make()
    stage.link("a", "c")
    for _ in range(6):
        stage.tick("c")
        stage.deliver("c", "a")
        if SnapshotAck in map(type, stage.peek("a", "c")):
            break
        stage.deliver("a", "c")
    stage.deliver("a", "c")
    while SnapshotPiece in map(type, stage.peek("c", "a")):
        arrived = type(stage.peek("c", "a")[0])
        stage.deliver("c", "a", 1)
        if arrived is SnapshotPiece:
            return stage
    raise AssertionError("no piece was sent")


def _break_one_way(stage: Stage) -> None:
    """Break C's link to A, and dial again; A's link to C goes on."""
    stage.drop("c", "a")
    stage.wires.linked.discard(("c", "a"))
    stage["c"].node.gateway.on_disconnected("a")
    stage.tick("c")
    assert (
        stage["a"].node.gateway.on_hello("c", stage["c"].node.gateway.hello()) is None
    )
    stage.wires.linked.add(("c", "a"))
    stage["c"].node.gateway.on_connected("a")


async def test_a_transfer_that_breaks_one_way_is_begun_anew() -> None:
    """What A already has of it must not look like "no more is wanted" to C."""
    stage = await _first_pieces()
    _break_one_way(stage)
    await stage.run_with_tasks(30)

    assert stage["a"].node.compaction.installs == 1
    assert stage["a"].machine.commands == stage["c"].machine.commands


async def test_a_transfer_that_breaks_both_ways_is_begun_anew() -> None:
    """A part of a file is worthless."""
    stage = await _first_pieces()
    stage.cut("a", "c")
    stage.link("a", "c")
    await stage.run_with_tasks(30)

    assert stage["a"].node.compaction.installs == 1
    assert stage["a"].machine.commands == stage["c"].machine.commands


async def test_a_new_leader_takes_over_from_one_that_died_sending() -> None:
    """The same snapshot from another replica is another transfer."""
    stage = await _first_pieces()
    stage["c"].kill()
    stage.isolate("c")
    stage.link("a", "b")
    stage["b"].node.compaction.make()
    stage.elect("b", "a")
    await stage.run_with_tasks(30)

    assert stage["b"].leads
    assert stage["a"].machine.commands == stage["b"].machine.commands
