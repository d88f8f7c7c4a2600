"""Five replicas of which one alone sees all others: the hardest of partitions."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.chaos.beds.containers import ContainerBed, container_bed
from tests.chaos.container_asking import (
    SERVICE,
    keep,
)
from tests.support.background import Background
from tests.support.bed_questions import leader_of, others, write
from tests.support.process_duties import listed
from tests.support.process_load import Load

pytestmark = [pytest.mark.docker, pytest.mark.slow]

WRITES = 300
LONGEST_GAP_S = 2.0


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerBed]:
    """Run five replicas for both tests."""
    with container_bed(tmp_path_factory.mktemp("five"), size=5) as running:
        yield running


class Looks(Background):
    """Keeps who leads, by their own word, in each term."""

    def __init__(self, bed: ContainerBed) -> None:
        super().__init__("looks")
        self.leaders: defaultdict[int, set[str]] = defaultdict(set)
        self.terms: set[int] = set()
        self._bed = bed

    def run(self) -> None:
        """See Background."""
        while not self.is_over:
            for node_id, node in self._bed.nodes.items():
                state = node.state()
                if state.get("role") == "leader":
                    self.leaders[int(str(state["term"]))].add(node_id)
                if state:
                    self.terms.add(int(str(state["term"])))
            self.pause(0.05)


@pytest.mark.parametrize("leader_is_bridge", [True, False], ids=["bridge", "side"])
def test_a_bridge_keeps_one_leader_and_loses_nothing(
    five: ContainerBed, leader_is_bridge: bool
) -> None:
    """{two} | one that sees all | {two}: no term after the other, writes go on."""
    leader = leader_of(five)
    rest = others(five, leader)
    bridge = leader if leader_is_bridge else rest.pop()
    sides = [n for n in five.node_ids if n != bridge]
    near = [n for n in sides if n == leader] or sides[:1]
    near += [n for n in sides if n not in near][:1]
    far = [n for n in sides if n not in near]
    known = keep(five, leader)
    urls = [five.url(n) for n in (*near, bridge)]

    with Looks(five) as looks, Load(urls, per_s=100.0, writers=6) as load:
        load.wait_acknowledged(50)
        terms_before = len(looks.terms)
        began_s = load.acknowledged_s[-1]
        for node_id in near:
            five.partition(node_id, far)
        load.wait_acknowledged(WRITES)
        assert all(known in listed(five.url(n), SERVICE) for n in five.node_ids)
        if not leader_is_bridge:
            assert write(five, far[0]).status in (503, 504)
        new_terms = len(looks.terms) - terms_before
        gap_s = load.longest_gap_s(began_s)
        five.heal()
        five.wait_ready()
        load.wait_acknowledged(50)

    assert new_terms == 0
    assert gap_s < LONGEST_GAP_S
    assert all(len(who) == 1 for who in looks.leaders.values())
    for node_id in five.node_ids:
        load.verify(five.url(node_id))
