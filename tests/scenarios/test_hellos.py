"""Who is let in: two processes under one id, other clusters, other member lists."""

from cluster.config import ClusterConfig
from cluster.identity import Identity, Standing
from cluster.raft.peers import Peers
from cluster.storage.wal import Wal
from tests.scenarios.support_actor import Actor
from tests.scenarios.support_stage import PATIENT, SMALL, Stage


class LetsAnyoneIn(Peers):
    """Without the rule: the process that came last is the peer."""

    def _is_live(self, _: object) -> bool:
        return False


async def _second_process(stage: Stage, name: str) -> Actor:
    """Start another process under the id of a living one, on a disk of its own."""
    config = ClusterConfig(name, tuple("abc"), timing=PATIENT, limits=SMALL)
    twin = Actor(stage.wires, config, ())
    twin.lives = 50
    twin.found()
    await twin.start()
    return twin


async def test_a_second_process_under_a_living_id_is_refused() -> None:
    """Two that vote as one would elect two leaders."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    twin = await _second_process(stage, "b")
    hello = twin.node.gateway.hello()

    assert stage["a"].node.gateway.on_hello("b", hello) == "duplicate_id"
    stage["a"].propose(b"x")
    stage.run()
    assert stage["b"].machine.commands == [b"x"]


async def test_without_the_rule_the_twin_displaces_the_living() -> None:
    """The defect: frames of the process that holds the log count no more."""
    stage = await Stage.open("abc", lacking=(LetsAnyoneIn,))
    stage.elect("a", "b", "c")
    stage.run()
    twin = await _second_process(stage, "b")
    assert stage["a"].node.gateway.on_hello("b", twin.node.gateway.hello()) is None
    stage.isolate("c")
    attempt = stage["a"].propose(b"x")
    stage.run(among="ab")

    assert not attempt.acknowledged()
    assert stage["a"].node.peers.stale_frames > 0


async def test_a_process_that_fell_silent_is_replaced_by_its_next_life() -> None:
    """A restart after a power cut resets no connection."""
    stage = await Stage.open("abc")
    stage.run()
    stage.clock.advance(5.0)
    twin = await _second_process(stage, "b")

    assert stage["a"].node.gateway.on_hello("b", twin.node.gateway.hello()) is None


async def test_a_data_directory_of_another_cluster_is_refused() -> None:
    """Its log would overwrite ours, or ours its own."""
    stage = await Stage.open("abc")
    stage["b"].wipe()
    wal, _ = Wal.recover(stage["b"].files)
    wal.write_identity(Identity("b", "c2", 1, ("a", "b", "c"), Standing.MEMBER))
    wal.close()
    stage.isolate("b")
    await stage["b"].start()

    assert stage.link("a", "b") == ["other_cluster", "other_cluster"]


async def test_frames_of_a_former_life_are_dropped() -> None:
    """An ack that its sender's disk may not hold any more must not count."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage["a"].propose(b"x")
    stage.tick("a")
    stage.deliver("a", "b")
    late = list(stage.wires.queues["b", "a"])
    await stage.restart("b")
    before = stage["a"].matched("b")
    for frame in late:
        stage["a"].receive("b", frame)

    assert late
    assert before == 0
    assert stage["a"].matched("b") == 0
    assert stage["a"].node.peers.stale_frames == len(late)
