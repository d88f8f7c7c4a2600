"""P2: a follower cuts its log at a real conflict only, never behind an older append.

B has acked "kept", which A acknowledged. Then an append that A sent before it arrives
once more. The library cuts everything behind it.
"""

from cluster.raft.transport import RaftTransport
from cluster.raft.wire import Ack, Append
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class TruncatingTransport(RaftTransport):
    """As released: appends go straight to the library."""

    def on_append(self, peer: str, message: Append) -> None:
        """Pass it on as it is."""
        self._answering_seq = message.seq
        self._deliver(
            peer,
            message,
            message.prev_index,
            message.prev_term,
            message.entries,
            message.commit_index,
        )


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """Return the stage after A died and B leads with C, which never had "kept"."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.isolate("c")
    stage["a"].propose(b"first")
    stage.run(among="ab")
    stage.clear()
    stage.tick("a")
    late = list(stage.wires.queues["a", "b"])
    stage.deliver("a", "b")
    stage.deliver("b", "a")
    kept = stage["a"].propose(b"kept")
    stage.tick("a")
    stage.deliver("a", "b")
    stage.deliver("b", "a")
    stage.tick("a")
    assert kept.acknowledged()
    assert stage["b"].commit == 3
    stage.clear()
    stage.wires.queues["a", "b"].extend(late)
    stage.deliver("a", "b")
    stage["a"].kill()
    stage.isolate("a")
    stage.link("b", "c")
    stage.elect("b", "c")
    stage.run(among="bc")
    assert stage["b"].leads
    return stage, kept


async def test_an_older_append_cuts_nothing() -> None:
    """What B acked is there when it leads."""
    stage, _ = await _play()

    assert stage["b"].machine.commands == [b"first", b"kept"]
    assert stage["c"].machine.commands == [b"first", b"kept"]


async def test_without_the_comparison_an_acknowledged_write_is_lost() -> None:
    """The defect: "kept" was acknowledged, and no living replica has it."""
    stage, kept = await _play(TruncatingTransport)

    assert kept.acknowledged()
    assert stage["b"].machine.commands == [b"first"]
    assert stage["c"].machine.commands == [b"first"]


async def test_a_repeated_append_claims_no_more_than_it_proves() -> None:
    """The tail that B keeps was not compared with A's log: no ack may cover it."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage.tick("a")
    late = list(stage.wires.queues["a", "b"])
    stage["a"].propose(b"x")
    stage.run()
    stage.clear()
    stage.wires.queues["a", "b"].extend(late)
    stage.deliver("a", "b")
    (ack,) = stage.peek("b", "a")

    assert stage["b"].last == 3
    assert isinstance(ack, Ack)
    assert (ack.next_index, ack.success, ack.reset) == (3, True, False)


async def test_a_real_conflict_is_cut() -> None:
    """A divergent tail that nobody acknowledged gives way to the leader's entries."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage.isolate("a")
    lost = stage["a"].propose(b"lost")
    stage.tick("a")
    stage.elect("b", "c")
    stage["b"].propose(b"won")
    stage.run(among="bc")
    stage.link("a", "b")
    stage.link("a", "c")
    stage.run()

    assert not lost.acknowledged()
    assert stage["a"].log == stage["b"].log
    assert set(map(tuple, stage.states().values())) == {(b"won",)}
