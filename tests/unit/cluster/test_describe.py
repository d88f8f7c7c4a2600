"""The status: what people, probes and metrics are told in each state."""

import msgspec

from cluster.config import ClusterConfig
from cluster.describe import before_start, describe
from cluster.identity import Identity, Standing
from cluster.status import Role, Status
from cluster.storage.wal import Wal
from tests.scenarios.support_stage import Stage


def told(stage: Stage, name: str) -> Status:
    """Return what a replica says of itself."""
    return describe(stage[name].node, stopping=False)


def test_before_the_disk_is_read_nothing_is_known() -> None:
    """It must not look like an empty cluster."""
    status = before_start(ClusterConfig("a", ("a", "b", "c")), stopping=False)

    assert status.waiting_for == "its data directory to be read"
    assert not status.caught_up
    assert status.leader is None


async def test_a_working_cluster() -> None:
    """Leader, followers, and where each stands."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage["a"].propose(b"x")
    stage.run()
    for name in "abc":
        stage[name].node.gateway.tell_everybody()
    stage.run(1)
    a, b = told(stage, "a"), told(stage, "b")

    assert (a.role, b.role) == (Role.LEADER, Role.FOLLOWER)
    assert (a.leader, b.leader) == ("a", "a")
    assert (a.term, a.applied_index, a.commit_index, a.last_index) == (1, 3, 3, 3)
    assert (a.contact_age_s, a.caught_up, b.caught_up) == (0.0, True, True)
    assert (a.waiting_for, a.degraded, b.degraded) == ("", (), ())
    assert [member.node_id for member in b.members] == ["a", "b", "c"]
    assert [member.applied_index for member in b.members] == [3, 3, 3]
    assert all(member.connected for member in b.members)


async def test_an_empty_replica_says_whom_it_waits_for() -> None:
    """The commonest mistake at the first start is a member that is not there."""
    stage = await Stage.open("abc", founded="")
    stage.cut("a", "c")

    expected = "all members, to found the cluster; out of reach: c"
    assert told(stage, "a").waiting_for == expected


async def test_a_replica_without_a_leader_says_so() -> None:
    """With those out of reach, who may be the reason."""
    stage = await Stage.open("abc")
    stage.cut("a", "b")
    assert told(stage, "a").waiting_for == "a leader; out of reach: b"
    stage.cut("a", "c")

    assert told(stage, "a").waiting_for == "a leader; out of reach: b, c"


async def test_a_silent_leader_is_a_degradation() -> None:
    """Answers go on, with their age."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage.clock.advance(1.5)
    status = told(stage, "b")

    assert status.caught_up
    assert status.degraded == ("leader_silent",)
    assert status.contact_age_s is not None
    assert status.contact_age_s > 1.5


async def test_little_disk_is_a_degradation() -> None:
    """A stable code, for alerts."""
    stage = await Stage.open("abc")
    stage["a"].files.free = 1024
    stage["a"].node.compaction.check_disk()

    assert told(stage, "a").degraded == ("disk_low",)


async def test_a_replica_that_is_refused_says_by_whom_and_why() -> None:
    """Both sides of a wrong setting can be read where one looks first."""
    stage = await Stage.open("abc")
    stage["b"].wipe()
    wal, _ = Wal.recover(stage["b"].files)
    wal.write_identity(Identity("b", "c2", 1, ("a", "b", "c"), Standing.MEMBER))
    wal.close()
    stage.isolate("b")
    await stage["b"].start()
    stage["b"].node.gateway.on_refused("a", "other_cluster")
    status = told(stage, "b")

    assert status.degraded == ("other_cluster",)
    assert status.waiting_for.startswith("these to let it in: a (one of us has a data")


async def test_a_joining_replica_is_degraded() -> None:
    """It does not count for a majority yet."""
    stage = await Stage.open("abc")
    stage.elect("a", "b", "c")
    stage.run()
    stage["b"].wipe()
    await stage.restart("b")
    stage.run()

    assert told(stage, "b").degraded == ("joining",)
    assert told(stage, "b").caught_up


async def test_a_status_can_be_written_as_json() -> None:
    """It is what GET /cluster is made of."""
    stage = await Stage.open("abc")
    encoded = msgspec.json.encode(told(stage, "a"))

    assert msgspec.json.decode(encoded)["node_id"] == "a"
