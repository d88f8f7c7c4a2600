"""Pre-vote: a replica asks whether it could win before it disturbs a working cluster.

C hears nobody (its incoming link is dead), though everybody hears C.
"""

from cluster.raft.election import Election
from tests.scenarios.support_stage import Stage


class CampaignsAtOnce(Election):
    """As released: an election deadline that passes is an election."""

    def before_tick(self) -> None:
        """Keep nobody from campaigning."""


async def _play(*lacking: type) -> Stage:
    stage = await Stage.open("abc", lacking=lacking)
    stage.clock.advance(1.0)
    stage["a"].tick(campaign=True)
    stage.ask("a", "b", "c")
    stage["a"].tick()
    stage.ask("a", "b", "c")
    stage.run()
    assert stage.leaders() == ["a"]
    for _ in range(5):
        stage.clock.advance(0.5)
        stage.tick("a")
        stage.ask("a", "b")
        stage.drop("a", "c")
        stage["c"].tick(campaign=True)
        stage.deliver("c", "b")
        stage.deliver("c", "a")
        stage.drop("a", "c")
        stage.drop("b", "c")
    return stage


async def test_a_half_cut_off_replica_deposes_nobody() -> None:
    """The leader that a majority hears goes on, in its term."""
    stage = await _play()

    assert stage.leaders() == ["a"]
    assert [stage[name].term for name in "abc"] == [1, 1, 1]
    assert stage["c"].node.election.rounds == 5


async def test_without_pre_vote_it_raises_terms_and_deposes_the_leader() -> None:
    """The defect: one replica that hears nobody ends a leadership that worked."""
    stage = await _play(CampaignsAtOnce)

    assert stage.leaders() == []
    assert stage["c"].term == 6
    assert stage["a"].term > 1


async def test_a_paused_replica_comes_back_without_an_election() -> None:
    """Its deadline passed while it was stopped; the leader's frames lie unread."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    for _ in range(20):
        stage.tick("a")
        stage.ask("a", "b")
    stage["c"].tick(campaign=True)
    stage.ask("c", "a", "b")
    stage.run()

    assert stage.leaders() == ["a"]
    assert stage["c"].term == 1


async def test_a_replica_that_heard_a_leader_lately_grants_nothing() -> None:
    """Leader stickiness: B refuses C although C's log is as good as its own."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage["c"].tick(campaign=True)
    stage.deliver("c", "b")

    assert stage.peek("b", "c") == []


async def test_a_granted_round_is_void_once_a_leader_shows_itself() -> None:
    """A majority that would have voted a moment ago is no reason to disturb."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage.clock.advance(1.0)
    stage["c"].tick(campaign=True)
    stage.deliver("c", "b")
    stage.tick("a")
    for frame in [*stage.wires.queues["a", "c"]]:
        stage["c"].receive("a", frame)
    stage.drop("a", "c")
    stage.deliver("b", "c")

    assert stage["c"].term == 1


async def test_a_deadline_that_passes_within_a_tick_is_no_election() -> None:
    """We looked a moment before the library does: only who was let may campaign.

    The founder of a cluster would else hold an election that those whom it has not told
    of the cluster yet take for one of the past: they would wait for its log for ever.
    """
    stage = await Stage.open("abc")
    core = stage["a"].node.core
    core._SyncObj__raftElectionDeadline = stage.clock.now_s() + 0.001
    stage["a"].node.election.before_tick()
    stage.clock.advance(0.002)
    core.doTick(0.0)

    assert stage["a"].term == 0
    stage["a"].tick(campaign=True)
    stage.run()
    assert stage.leaders() == ["a"]
