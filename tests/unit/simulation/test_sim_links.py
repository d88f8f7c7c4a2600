"""The simulated links: hellos both ways, order while a link lasts, loss at its end."""

import asyncio
from random import Random

import pytest

from tests.support.sim_connection import BUFFER_BYTES, FRAME_BYTES
from tests.support.sim_links import SimLinks
from tests.support.sim_loop import SimLoop
from tests.support.sim_network import SimNetwork, Weather
from tests.support.sim_node_loop import NodeLoop


class Peer:
    """One node with links, and what they told it."""

    def __init__(self, net: SimNetwork, name: str, other: str) -> None:
        self.name = name
        self.loop = NodeLoop(net.sim)
        self.links = SimLinks(net, self.loop, name, (other,))
        self.told: list[str] = []
        self.frames: list[bytes] = []
        self.refuses: str | None = None
        self.dislikes = b"?"
        self.loop.run_inside(lambda: self.loop.create_task(self.links.start(self)))

    def hello(self) -> bytes:
        """Greet by name."""
        return self.name.encode()

    def on_hello(self, peer: str, hello: bytes) -> str | None:
        """Judge."""
        self.told.append(f"hello of {peer}: {hello.decode()}")
        return self.refuses

    def on_refused(self, peer: str, reason: str) -> None:
        """Note."""
        self.told.append(f"refused by {peer}: {reason}")

    def on_connected(self, peer: str) -> None:
        """Note."""
        self.told.append(f"connected to {peer}")

    def on_disconnected(self, peer: str) -> None:
        """Note."""
        self.told.append(f"lost {peer}")

    def on_frame(self, peer: str, frame: bytes) -> None:
        """Keep, or refuse what no honest peer sends."""
        if frame == self.dislikes:
            raise ValueError("dislikes it")
        self.frames.append(frame)


class Pair:
    """Two connected nodes a and b."""

    def __init__(self, weather: Weather | None = None, *, seed: int = 1) -> None:
        self.sim = SimLoop()
        usual = Weather(latency_s=(0.01, 0.05))
        self.net = SimNetwork(self.sim, Random(seed), weather or usual)
        self.a = Peer(self.net, "a", "b")
        self.b = Peer(self.net, "b", "a")
        self.run(3.0)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.sim.call_later(seconds, self.sim.stop)
        self.sim.run_forever()

    def send(self, *frames: bytes) -> list[bool]:
        """Send from a to b."""
        return [self.a.links.send("b", frame) for frame in frames]


def frames(count: int) -> list[bytes]:
    """Make frames that tell their place."""
    return [b"%d" % number for number in range(count)]


def test_both_sides_judge_a_hello_before_a_link_is_up() -> None:
    """A peer of another cluster must be refused by either side."""
    pair = Pair()

    assert pair.a.told.count("hello of b: b") == 2  # one per connection
    assert "connected to b" in pair.a.told
    assert "connected to a" in pair.b.told


def test_a_refused_hello_is_told_and_tried_again() -> None:
    """A peer may be let in later, so the dialler does not give up."""
    pair = Pair()
    pair.b.refuses = "another cluster"
    pair.net.reset("a", "b")
    pair.run(3.0)
    refused = pair.a.told.count("refused by b: another cluster")
    pair.b.refuses = None
    pair.run(3.0)

    assert refused >= 2
    assert "connected to b" in pair.a.told[pair.a.told.index("lost b") :]


def test_frames_keep_their_order_whatever_their_latency() -> None:
    """Raft's pipeline relies on it, as it may over TCP."""
    pair = Pair()

    assert all(pair.send(*frames(100)))
    pair.run(1.0)

    assert pair.b.frames == frames(100)


def test_a_cut_holds_frames_back_and_its_end_delivers_them() -> None:
    """TCP sends again until somebody resets the connection."""
    pair = Pair()
    pair.net.cut("a", "b")
    pair.send(*frames(3))
    pair.run(1.0)
    during = list(pair.b.frames)
    pair.net.heal("a", "b")
    pair.run(1.0)

    assert during == []
    assert pair.b.frames == frames(3)


def test_one_direction_can_be_cut_alone() -> None:
    """The nastiest partitions are those that only one side notices."""
    pair = Pair()
    pair.net.cut("a", "b")
    pair.b.links.send("a", b"still")
    pair.run(1.0)

    assert pair.a.frames == [b"still"]


def test_a_reset_loses_frames_and_the_link_comes_back() -> None:
    """Frames are never repeated by the links: Raft does that."""
    pair = Pair()
    pair.send(*frames(3))
    pair.net.reset("a", "b")
    sent_without_link = pair.send(b"x")
    pair.run(3.0)

    assert sent_without_link == [False]
    assert pair.b.frames == []
    assert "connected to b" in pair.a.told[pair.a.told.index("lost b") :]
    assert pair.send(b"again") == [True]


@pytest.mark.parametrize(
    "much",
    [
        [bytes(FRAME_BYTES + 1)],
        [bytes(FRAME_BYTES)] * (BUFFER_BYTES // FRAME_BYTES + 1),
    ],
)
def test_too_large_a_frame_or_a_full_buffer_ends_the_link(much: list[bytes]) -> None:
    """A peer that takes nothing must not fill our memory."""
    pair = Pair()

    accepted = pair.send(*much)
    pair.run(0.001)

    assert accepted[-1] is False
    assert "lost b" in pair.a.told


def test_a_connection_that_the_other_side_replaced_is_noticed() -> None:
    """Otherwise a node would send into nothing for ever."""
    pair = Pair()
    (old,) = pair.a.links._outgoing.values()
    pair.b.links._end_incoming(old)
    pair.run(3.0)
    (new,) = pair.a.links._outgoing.values()

    assert new is not old
    assert "lost b" in pair.a.told


def test_what_a_killed_process_had_sent_still_arrives() -> None:
    """The kernel sends it: an acknowledgement may outlive its sender."""
    pair = Pair()
    pair.send(*frames(3))
    pair.a.loop.kill()
    pair.a.links.vanish(lambda count: count)
    pair.run(3.0)

    assert pair.b.frames == frames(3)
    assert "lost a" in pair.b.told


def test_a_dishonest_frame_ends_the_link_and_is_told() -> None:
    """All peers of the simulation are honest, so this is always a bug."""
    pair, told = Pair(), list[str]()
    pair.net.on_dishonest = lambda source, target, why: told.append(why)
    pair.send(pair.b.dislikes)
    pair.run(1.0)

    assert told == ["dislikes it"]
    assert "lost b" in pair.a.told


def test_a_dropped_peer_is_dialled_again() -> None:
    """Both connections of the pair end, and come back."""
    pair = Pair()
    pair.a.links.drop("b")
    pair.run(3.0)

    assert "lost b" in pair.a.told
    assert "lost a" in pair.b.told
    assert pair.send(b"again") == [True]


def test_frames_of_a_broken_connection_may_come_late() -> None:
    """A reader may still drain the old socket when the new one is up."""
    weather = Weather(latency_s=(0.01, 0.05), late=1.0)
    pair = Pair(weather)
    pair.send(*frames(3))
    pair.net.reset("a", "b")
    pair.run(3.0)

    assert pair.b.frames == frames(3)


def test_frames_may_come_twice() -> None:
    """No TCP does that; the protocol survives it all the same."""
    pair = Pair(Weather(duplicated=1.0))
    pair.send(b"once")
    pair.run(1.0)

    assert pair.b.frames == [b"once", b"once"]


def test_a_node_that_is_not_there_is_dialled_until_it_is() -> None:
    """Replicas start in any order, and hosts are away for hours."""
    sim = SimLoop()
    net = SimNetwork(sim, Random(1), Weather())
    a = Peer(net, "a", "b")
    sim.call_later(30.0, sim.stop)
    sim.run_forever()
    Peer(net, "b", "a")
    sim.call_later(3.0, sim.stop)
    sim.run_forever()

    assert a.told[-1] == "connected to b"


def test_closed_links_are_silent() -> None:
    """A stopped replica hears and says nothing more."""
    pair = Pair()
    told = len(pair.a.told)

    def begin() -> "asyncio.Task[None]":
        return pair.a.loop.create_task(pair.a.links.close())

    pair.a.loop.run_inside(begin)
    pair.b.links.send("a", b"late")
    pair.run(3.0)

    assert pair.a.frames == []
    assert len(pair.a.told) == told
    assert pair.send(b"x") == [False]
