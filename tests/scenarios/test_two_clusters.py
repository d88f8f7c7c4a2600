"""A link outlives its hello: who came to another cluster after it is let go.

A, empty, is linked with B of cluster c1. Then C comes back with a directory of cluster
c2 (a restored backup of elsewhere, say) and takes A in.
"""

import msgspec

from cluster.identity import Identity, Standing
from cluster.raft import wire
from cluster.raft.gateway import Gateway
from cluster.storage.wal import Wal
from tests.scenarios.support_stage import Stage

OTHER = Identity("c", "c2", 1, ("a", "b", "c"), Standing.MEMBER)


class TrustsTheHello(Gateway):
    """Without the rule: who was let in once stays."""

    def _on_keep_alive(self, peer: str, message: wire.KeepAlive) -> None:
        ours = self._node.identity.cluster_id
        told = msgspec.structs.replace(message, cluster_id=ours)
        super()._on_keep_alive(peer, told)


async def _play(*lacking: type) -> Stage:
    """Each cluster has written its own third entry; A is linked with both."""
    stage = await Stage.open("abc", lacking=lacking, founded="bc")
    stage.elect("b", "c")
    stage["b"].propose(b"one")
    stage.run(among="bc")
    assert stage["c"].machine.commands == [b"one"]
    stage["c"].wipe()
    wal, _ = Wal.recover(stage["c"].files)
    wal.write_identity(OTHER)
    wal.close()
    stage.isolate("c")
    await stage["c"].start()
    stage.clear()
    assert stage.link("b", "c") == ["other_cluster", "other_cluster"]
    assert stage.link("a", "c") == [None, None]
    stage["c"].node.gateway.put("a", wire.Found("c2", list("abc")))
    stage.deliver("c", "a")
    assert stage["a"].node.identity.cluster_id == "c2"
    stage.elect("c", "a")
    stage["c"].propose(b"two")
    stage.run(among="ac")
    assert stage["a"].machine.commands == [b"two"]
    assert ("b", "a") in stage.wires.linked
    stage["a"].node.gateway.tell_everybody()
    stage["b"].node.gateway.tell_everybody()
    stage.deliver("a", "b")
    stage.deliver("b", "a")
    for one, other in ("ab", "ba"):  # what dropping a link does
        if other in stage[one].links.dropped:
            stage.cut(one, other)
    return stage


async def test_the_link_with_another_cluster_ends() -> None:
    """Both sides end it, and the next hello is refused."""
    stage = await _play()

    assert set(stage["a"].links.dropped) == {"b"}
    assert set(stage["b"].links.dropped) == {"a"}
    assert stage.link("a", "b") == ["other_cluster", "other_cluster"]
    stage.isolate("c")
    stage.step_down("b")
    stage.elect("b", "a")
    assert not stage["b"].leads


async def test_without_the_rule_one_cluster_writes_into_the_other() -> None:
    """The defect: A votes for B, whose log looks as good as its own, and applies B's
    writes on top of C's.
    """
    stage = await _play(TrustsTheHello)
    stage.isolate("c")
    stage.step_down("b")
    stage.elect("b", "a")
    attempt = stage["b"].propose(b"three")
    stage.run(among="ab")

    assert stage["b"].leads
    assert attempt.acknowledged()
    assert stage["b"].machine.commands == [b"one", b"three"]
    assert stage["a"].machine.commands == [b"two", b"three"]
