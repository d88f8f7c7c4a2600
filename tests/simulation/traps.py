"""Faults in the order that hurts: what chance alone would try once in a million seeds.

Each trap brings about the very situation for which a repair of RAFT.md exists, with the
clients' writes as the bait. None of them does what a cluster may not survive.
"""

from functools import partial
from itertools import permutations

from tests.simulation.means import Means
from tests.support.sim_node import SimNode


class Traps(Means):
    """Faults made of several steps."""

    def unsynced_leader(self) -> bool:
        """Lose the leader's unsynced tail while those who have it are out of reach.

        A leader that counts its own copy before it is synced has acknowledged what now
        a majority does not have.
        """
        sides = self._sides()
        if sides is None:
            return False
        leader, behind, informed = sides
        self._isolate(behind)
        leader.stall_disk(1.5)
        after_s = self._random.uniform(0.05, 0.3)
        self._later(after_s, partial(self._end, leader, power=True))
        self._later(after_s, self._swap, behind, informed)
        return True

    def unsynced_followers(self) -> bool:
        """Lose the followers' unsynced tail while the leader is out of reach.

        A follower that acknowledges before it has synced lets the leader answer a
        client with what no majority will hold.
        """
        sides = self._sides()
        if sides is None:
            return False
        leader, behind, informed = sides
        self._isolate(behind)
        after_s = self._random.uniform(0.05, 0.3)
        for node in informed:
            node.stall_disk(1.5)
            self._later(after_s, partial(self._end, node, power=True))
        self._later(after_s, self._swap, behind, [leader])
        return True

    def forgotten_votes(self) -> bool:
        """Cut the power of all while they elect on stalled disks.

        A vote that left before it was synced is given a second time after the restart.
        """
        leader = self._leader()
        if leader is None or len(self._nodes) < 3:
            return False
        self._end(leader)
        slowest_s = self._conditions.timing.election_max_s
        for node in self._nodes:
            if node is not leader and node.up:
                node.stall_disk(2 * slowest_s)
                cut_s = self._random.uniform(0.5, 2.0) * slowest_s
                self._later(cut_s, partial(self._end, node, power=True, away_s=0.3))
        return True

    def voting_stranger(self) -> bool:
        """Wipe one who acknowledged, and leave it alone with those who lag behind.

        A replica with an empty disk that votes as if it had never acknowledged anything
        elects a leader who lacks it.
        """
        sides = self._sides()
        if sides is None or not self._may_wipe():
            return False
        _, behind, informed = sides
        wiped = self._random.choice(informed)
        self._isolate(behind)
        after_s = self._random.uniform(0.3, 1.5)
        others = [node for node in self._nodes if node not in (*behind, wiped)]
        self._later(after_s, self._wipe, wiped, self._random.uniform(0.1, 0.5))
        self._later(after_s, self._swap, behind, others)
        return True

    def _sides(self) -> tuple[SimNode, list[SimNode], list[SimNode]] | None:
        """Draw a minority that will lag behind; the others follow the leader."""
        leader = self._leader()
        if leader is None or len(self._nodes) < 3:
            return None
        followers = [node for node in self._nodes if node is not leader]
        behind = self._random.sample(followers, len(self._nodes) // 2)
        return leader, behind, [node for node in followers if node not in behind]

    def _isolate(self, group: list[SimNode]) -> None:
        self._judge.say("isolate " + " ".join(node.node_id for node in group))
        for pair in self._borders(group):
            self._net.cut(*pair)

    def _swap(self, freed: list[SimNode], isolated: list[SimNode]) -> None:
        """Let the ones in, the others out, for long enough to elect and write."""
        for pair in self._borders(freed):
            self._net.heal(*pair)
        self._isolate(isolated)
        pairs = self._borders(isolated)
        self._later(self._random.uniform(3.0, 6.0), self._mend, pairs)

    def _borders(self, group: list[SimNode]) -> list[tuple[str, str]]:
        inside = {node.node_id for node in group}
        pairs = permutations([node.node_id for node in self._nodes], 2)
        return [p for p in pairs if (p[0] in inside) != (p[1] in inside)]
