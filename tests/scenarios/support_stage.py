"""A cluster by hand: who hears what, and when, is written in the script.

stage = await Stage.open("abc")      three founded members, linked, nobody leads
stage.elect("a", "b")                a leads, by the vote of b (and its own)
stage.actors["a"].propose(b"x")      nothing leaves before a tick
stage.deliver("a", "b", 1)           the first frame under way arrives
stage.run()                          everything happens until all is quiet
"""

import asyncio
from random import Random

from cluster.config import ClusterConfig, Limits, Timing
from cluster.identity import Standing
from cluster.raft import library, wire
from tests.scenarios.support_actor import Actor
from tests.scenarios.support_hands import HandClock, Wires

PATIENT = Timing(leader_fallback_s=30.0)
"""A script's leader goes on leading though its followers are silent for a while."""
SMALL = Limits(trailing_entries=0, snapshot_piece_bytes=64)


class Stage:
    """All replicas of one script."""

    def __init__(self, timing: Timing = PATIENT) -> None:
        self.clock = HandClock()
        self.wires = Wires()
        self.timing = timing
        self.actors: dict[str, Actor] = {}
        library.install(self.clock.now_s, Random(1))

    @classmethod
    async def open(
        cls,
        names: str,
        *,
        lacking: tuple[type, ...] = (),
        timing: Timing = PATIENT,
        founded: str | None = None,
    ) -> "Stage":
        """Start replicas named by the letters of ``names``, and link them all."""
        stage = cls(timing)
        members = tuple(names)
        for name in names:
            config = ClusterConfig(name, members, timing=timing, limits=SMALL)
            actor = stage.actors[name] = Actor(stage.wires, config, lacking)
            if founded is None or name in founded:
                actor.found()
            await actor.start()
        for one in names:
            for other in names:
                if one < other:
                    stage.link(one, other)
        stage.run(2)
        stage.clear()
        return stage

    def __getitem__(self, name: str) -> Actor:
        """Return a replica."""
        return self.actors[name]

    # -- links

    def link(self, one: str, other: str) -> list[str | None]:
        """Connect two replicas; return what each says of the other's hello."""
        a, b = self.actors[one], self.actors[other]
        verdicts = [
            b.node.gateway.on_hello(one, a.node.gateway.hello()),
            a.node.gateway.on_hello(other, b.node.gateway.hello()),
        ]
        if verdicts == [None, None]:
            self.wires.linked |= {(one, other), (other, one)}
            a.node.gateway.on_connected(other)
            b.node.gateway.on_connected(one)
        return verdicts

    def cut(self, one: str, other: str) -> None:
        """End the links of two replicas; what was under way is lost."""
        for key in ((one, other), (other, one)):
            self.wires.linked.discard(key)
            self.wires.queues[key].clear()
            actor = self.actors[key[0]]
            if actor.node is not None:
                actor.node.gateway.on_disconnected(key[1])

    def isolate(self, name: str) -> None:
        """Cut a replica off from everybody."""
        for other in self.actors:
            if other != name:
                self.cut(name, other)

    async def restart(self, name: str, *, power: bool = False) -> Actor:
        """End a life and begin the next, linked with everybody who is up."""
        actor = self.actors[name]
        if power:
            actor.power_cut()
        else:
            actor.kill()
        self.isolate(name)
        await actor.start()
        for other, peer in self.actors.items():
            if other != name and peer.node is not None:
                self.link(*sorted((name, other)))
        return actor

    # -- frames

    def peek(self, source: str, target: str) -> list[wire.AnyMessage]:
        """Return the messages under way."""
        return [wire.decode(f)[1] for f in self.wires.queues[source, target]]

    def deliver(self, source: str, target: str, count: int | None = None) -> int:
        """Let the first ``count`` frames arrive (by default those there now).

        The turn that they ask for follows.
        """
        queue = self.wires.queues[source, target]
        arrived = 0
        for _ in range(len(queue) if count is None else count):
            if not queue:
                break
            self.actors[target].receive(source, queue.popleft())
            arrived += 1
        self.actors[target].tick()
        return arrived

    def drop(self, source: str, target: str, *kinds: type) -> None:
        """Lose the frames under way, or those of some kinds."""
        queue = self.wires.queues[source, target]
        kept = [f for f in queue if kinds and type(wire.decode(f)[1]) not in kinds]
        queue.clear()
        queue.extend(kept)

    def clear(self) -> None:
        """Lose all frames under way."""
        for queue in self.wires.queues.values():
            queue.clear()

    # -- moves

    def tick(self, name: str, after_s: float = 0.06) -> Actor:
        """Let time pass (an append period by default), then take a turn."""
        self.clock.advance(after_s)
        actor = self.actors[name]
        actor.tick()
        return actor

    def elect(self, who: str, *voters: str) -> Actor:
        """Have ``who`` elected by ``voters``; the others hear nothing of it."""
        candidate = self.actors[who]
        for _ in range(3):  # it may have to learn of newer terms first
            if not candidate.leads:
                self.clock.advance(1.0)  # nobody has heard a leader lately
                candidate.tick(campaign=True)
                self.ask(who, *voters)  # for pre-votes
                candidate.tick()
                self.ask(who, *voters)  # for votes
        for other in self.actors:
            if other not in (who, *voters):
                self.drop(who, other, wire.PreVote, wire.RequestVote)
        return candidate

    def ask(self, who: str, *others: str) -> None:
        """Let what ``who`` says reach others, and their answers reach it."""
        self.actors[who].sync()
        for other in others:
            self.deliver(who, other)
            self.actors[other].sync()
            self.deliver(other, who)

    def step_down(self, name: str) -> None:
        """Let a leader find that nobody answers it any more."""
        self.clock.advance(60.0)
        self.actors[name].tick()

    def run(self, rounds: int = 8, *, among: str | None = None) -> None:
        """Tick, sync and deliver, until all is quiet."""
        names = [n for n in self.actors if among is None or n in among]
        for _ in range(rounds):
            self.clock.advance(0.06)
            for name in names:
                self.actors[name].tick()
                self.actors[name].sync()
            for source in names:
                for target in names:
                    self.deliver(source, target)
            for name in names:
                self.actors[name].sync()

    async def run_with_tasks(self, rounds: int = 8) -> None:
        """Run, and let installs of snapshots (they are tasks) go on."""
        for _ in range(rounds):
            self.run(1)
            await self.breathe()

    @staticmethod
    async def breathe() -> None:
        """Let tasks that wait for nothing but their turn go on."""
        for _ in range(20):
            await asyncio.sleep(0)

    def found(self, names: str, rounds: int = 4) -> None:
        """Let empty replicas ask each other where they stand."""
        for _ in range(rounds):
            self.clock.advance(0.25)
            for name in names:
                self.actors[name].node.founding.tick(self.clock.now_s())
            for source in names:
                for target in names:
                    self.deliver(source, target)

    def standing(self, name: str) -> Standing:
        """Return what a replica may do for elections."""
        standing: Standing = self.actors[name].node.identity.standing
        return standing

    # -- what must always hold

    def states(self) -> dict[str, list[bytes]]:
        """Return what every living replica's machine was told, in order."""
        return {n: a.machine.commands for n, a in self.actors.items() if a.node}

    def leaders(self) -> list[str]:
        """Return who believes that it leads."""
        return [name for name, actor in self.actors.items() if actor.leads]
