"""Does to the cluster what the world does to clusters, at times drawn from the seed.

Each fault is one method, named as in the profiles, that also arranges its own end.
The one restraint: disks are wiped one at a time, when all the others are well. A
cluster promises nothing to who destroys more copies than a majority can spare.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from tests.simulation.means import PLENTY_BYTES
from tests.simulation.traps import Traps
from tests.simulation.upgrades import Upgrades
from tests.simulation.versions import NEW

SMALL_DISK_BYTES = 24 * 1024


class Nemesis(Traps, Upgrades):
    """Draws one fault after the other until ``ends_s``."""

    async def run(self, *, ends_s: float) -> None:
        """Let one fault follow the other; nothing to do in a calm profile."""
        names = list(self._conditions.faults)
        weights = list(self._conditions.faults.values())
        if self._conditions.upgrades:
            self.plan_upgrades(ends_s=ends_s)
        while names:
            gap_s = self._random.uniform(*self._conditions.fault_gap_s)
            if self._net.sim.time() + gap_s >= ends_s:
                return
            await asyncio.sleep(gap_s)
            self._may_wipe()  # notes when a wiped replica has recovered
            name = self._random.choices(names, weights)[0]
            fault: Callable[[], bool] = getattr(self, name)
            if fault():
                self._judge.counts[f"fault:{name}"] += 1

    def heal(self) -> None:
        """End every fault: all nodes up, all links whole, all disks well."""
        self._judge.say("everything is healed")
        self._active = False
        self._net.heal_all()
        for node in self._nodes:
            node.crash_in = node.disk_fails_in = None
            node.files.free = PLENTY_BYTES
            node.resume()
            if node.node_id in self._stopping:
                continue
            if self._conditions.upgrades and node.config.schema < NEW:
                node.kill("upgraded")
                node.config = replace(node.config, schema=NEW)
            node.start()

    # -- processes

    def kill(self) -> bool:
        """SIGKILL one."""
        return self._end(self._some())

    def kill_leader(self) -> bool:
        """SIGKILL the leader."""
        return self._end(self._leader())

    def kill_all(self) -> bool:
        """SIGKILL every one at once."""
        return sum(self._end(node) for node in self._nodes) > 0

    def crash(self) -> bool:
        """SIGKILL one in the middle of one of its next file operations."""
        return self._crash(power=False)

    def pause(self) -> bool:
        """SIGSTOP one for a while."""
        return self._pause(self._some())

    def pause_leader(self) -> bool:
        """SIGSTOP the leader for a while."""
        return self._pause(self._leader())

    def restart(self) -> bool:
        """SIGTERM one, and start it again."""
        return self._restart(self._some())

    def restart_leader(self) -> bool:
        """SIGTERM the leader."""
        return self._restart(self._leader())

    def rolling(self) -> bool:
        """Restart one after the other, as an upgrade does."""
        for turn, node in enumerate(self._nodes):
            self._later(self._random.uniform(1.0, 3.0) * turn, self._restart, node)
        return True

    # -- power and disks

    def power_one(self) -> bool:
        """Cut the power of one host."""
        return self._end(self._some(), power=True)

    def power_leader(self) -> bool:
        """Cut the power of the leader's host."""
        return self._end(self._leader(), power=True)

    def power_all(self) -> bool:
        """Cut the power of all hosts at once."""
        for node in self._nodes:
            if not self._end(node, power=True):
                node.power_cut()  # what a killed process wrote is lost as well
        return True

    def crash_power(self) -> bool:
        """Cut the power of one host in the middle of a file operation."""
        return self._crash(power=True)

    def stall(self) -> bool:
        """Let a disk answer nothing for a while."""
        node = self._some()
        if node.up:
            node.stall_disk(self._random.uniform(0.2, 3.0))
        return node.up

    def disk_error(self) -> bool:
        """Let one of the next file operations fail; start the node again later."""
        node = self._some()
        if not node.up:
            return False
        node.disk_fails_in = self._random.randrange(8)
        self._later(self._random.uniform(1.0, 5.0), self._up, node)
        return True

    def disk_full(self) -> bool:
        """Let a disk fill up; make room and start the node again later."""
        node = self._some()
        if not node.up:
            return False
        self._judge.say(f"{node.node_id}: its disk is almost full")
        node.files.free = self._random.choice((0, SMALL_DISK_BYTES))
        self._later(self._random.uniform(1.0, 5.0), self._make_room, node)
        return True

    def wipe(self) -> bool:
        """Replace the disk of one replica by an empty one."""
        if len(self._nodes) == 1 or not self._may_wipe():
            return False
        self._wipe(self._some(), self._random.uniform(0.1, 2.0))
        return True

    # -- network

    def split(self) -> bool:
        """Cut the cluster in two."""
        if len(self._nodes) == 1:
            return False
        size = self._random.randrange(1, len(self._nodes))
        ids = [node.node_id for node in self._nodes]
        return self._partition(set(self._random.sample(ids, size)))

    def isolate_leader(self) -> bool:
        """Cut the leader off."""
        leader = self._leader()
        return leader is not None and self._partition({leader.node_id})

    def one_way(self) -> bool:
        """Let one node's frames not reach another (some or all others)."""
        if len(self._nodes) == 1:
            return False
        ids = [node.node_id for node in self._nodes]
        source = self._random.choice(ids)
        others = [name for name in ids if name != source]
        targets = self._random.sample(others, self._random.randint(1, len(others)))
        pairs = [(source, target) for target in targets]
        if self._random.random() < 0.5:
            pairs = [(target, source) for source, target in pairs]
        self._cut(pairs)
        return True

    def blind(self) -> bool:
        """Cut one node's way to the services: never that of a majority."""
        ids = [node.node_id for node in self._nodes]
        if len(ids) == 1 or any(map(self._net.is_blind, ids)):
            return False
        leader = self._leader()
        chosen = ids if leader is None else [*ids, leader.node_id]
        node_id = self._random.choice(chosen)
        self._judge.say(f"{node_id} is blind")
        self._net.blind(node_id)
        self._later(self._random.uniform(1.0, 10.0), self._see, node_id)
        return True

    def _see(self, node_id: str) -> None:
        self._judge.say(f"{node_id} sees again")
        self._net.unblind(node_id)

    def reset(self) -> bool:
        """Break the connections of a pair."""
        if len(self._nodes) == 1:
            return False
        one, other = self._random.sample([node.node_id for node in self._nodes], 2)
        self._judge.say(f"connections of {one} and {other} break")
        self._net.reset(one, other)
        return True
