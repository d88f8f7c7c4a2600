"""Peers: their present life is the one that counts."""

import msgspec

from cluster.identity import FORMAT_VERSION, Identity, Standing
from cluster.raft.hello import Hello, encode
from cluster.raft.peers import LIVE_S, Peers

ME = Identity("a", "c1", 1, ("a", "b", "c"), Standing.MEMBER)
FIRST, SECOND = b"life-001", b"life-002"


class World:
    """Peers of replica a, a clock, and what they tell."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.new_lives: list[str] = []
        self.reports: list[dict[str, object]] = []
        self.peers = Peers(
            ("b", "c"),
            now_s=lambda: self.now_s,
            new_life=self.new_lives.append,
            report=lambda _, fields: self.reports.append(fields),
        )

    def hello(self, life: bytes, **fields: object) -> str | None:
        """Judge a hello of b."""
        said = Hello(FORMAT_VERSION, "b", life, "c1", 1, ME.members, 1, "http://b:1", 2)
        said = msgspec.structs.replace(said, **fields)
        return self.peers.judge(ME, 1, "b", encode(said))


def test_frames_count_from_the_life_that_said_hello() -> None:
    """One of a former life promises what its disk may not hold any more."""
    world = World()
    before = world.peers.heard("b", FIRST)
    world.hello(FIRST)
    heard = [world.peers.heard("b", life) for life in (FIRST, SECOND)]

    assert (before, heard) == (False, [True, False])
    assert world.peers.stale_frames == 2


def test_a_new_life_is_told_of_and_makes_old_frames_stale() -> None:
    """Its acks count no more, and where it stood is unknown again."""
    world = World()
    world.hello(FIRST)
    world.peers["b"].applied_index = 7
    reason = world.hello(SECOND)

    assert reason is None
    assert world.new_lives == ["b"]
    assert world.peers.status()[0].applied_index is None
    assert not world.peers.heard("b", FIRST)


def test_the_same_life_again_is_no_new_one() -> None:
    """Links break and are made again."""
    world = World()
    world.hello(FIRST)
    world.hello(FIRST)

    assert world.new_lives == []


def test_a_second_process_under_a_living_id_is_refused() -> None:
    """The one that came first goes on."""
    world = World()
    world.hello(FIRST)
    world.peers["b"].is_connected = True
    world.peers.heard("b", FIRST)

    assert world.hello(SECOND) == "duplicate_id"
    assert world.peers.heard("b", FIRST)
    assert world.reports == [{"peer": "b", "reason": "duplicate_id"}]
    assert world.peers.refused == 1


def test_a_silent_process_gives_way_to_the_next() -> None:
    """A host that lost its power resets no connection."""
    world = World()
    world.hello(FIRST)
    world.peers["b"].is_connected = True
    world.peers.heard("b", FIRST)
    world.now_s += LIVE_S

    assert world.hello(SECOND) is None


def test_an_ended_process_gives_way_at_once() -> None:
    """A restart must not cost two seconds."""
    world = World()
    world.hello(FIRST)
    world.peers.heard("b", FIRST)

    assert world.hello(SECOND) is None


def test_a_refused_hello_leaves_the_former_one_in_place() -> None:
    """A stranger with our peer's address changes nothing."""
    world = World()
    world.hello(FIRST)

    assert world.hello(SECOND, cluster_id="c2") == "other_cluster"
    assert world.peers.judge(ME, 1, "b", b"garbage") == "bad_hello"
    assert world.peers.heard("b", FIRST)
    assert world.peers.refused == 2


def test_why_a_peer_refuses_us_is_known_until_it_lets_us_in() -> None:
    """People look at the status of the replica that is left out."""
    world = World()
    for _ in range(3):
        world.peers.refused_by("b", "other_cluster")
    assert world.peers.refusals() == {"b": "other_cluster"}
    assert len(world.reports) == 1
    world.peers.let_in("b")

    assert world.peers.refusals() == {}


def test_a_schema_is_understood_when_all_have_said_so() -> None:
    """One that is not here may run an older version."""
    world = World()
    world.hello(FIRST)
    world.peers["b"].is_connected = world.peers["c"].is_connected = True
    before = world.peers.all_understand(2)
    world.peers["c"].schema = 2

    assert (before, world.peers.all_understand(2)) == (False, True)
    assert not world.peers.all_understand(3)
    world.peers["c"].is_connected = False
    assert not world.peers.all_understand(2)


def test_the_status_tells_what_is_known() -> None:
    """Unknown is None, not zero."""
    world = World()
    world.hello(FIRST)
    world.peers.heard("b", FIRST)
    world.peers["b"].is_connected = True
    world.peers["b"].applied_index = 9
    world.now_s += 0.5
    b, c = world.peers.status()

    assert (b.node_id, b.advertise, b.connected) == ("b", "http://b:1", True)
    assert (b.applied_index, b.contact_age_s) == (9, 0.5)
    assert (c.advertise, c.connected) == ("", False)
    assert (c.applied_index, c.contact_age_s) == (None, None)
    assert world.peers.connected() == frozenset({"b"})
