"""Each verb for links does to a real cluster of containers what its name says."""

import time
from collections.abc import Callable

import pytest

from tests.chaos.bed import Bed
from tests.chaos.beds.containers import ContainerBed
from tests.chaos.container_asking import (
    SERVICE,
    keep,
    leads_among,
    members,
)
from tests.support.bed_questions import leader_of, others, write
from tests.support.process_duties import listed
from tests.support.process_http import try_ask
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.usefixtures("healed"),
]


def test_a_partition_is_silent_and_leaves_the_majority_at_work(
    bed: ContainerBed,
) -> None:
    """The one cut off still answers its clients what it knows, and refuses writes."""
    victim = leader_of(bed)
    rest = others(bed, victim)
    known = keep(bed, victim)

    bed.partition(victim, rest)

    wait_until(lambda: leads_among(bed, rest), "another leader")
    keep(bed, rest[0])
    assert write(bed, victim).status in (503, 504)
    assert known in listed(bed.url(victim), SERVICE)
    bed.heal()
    bed.wait_ready()
    assert write(bed, victim).status == 200


def received(bed: ContainerBed, node_id: str, from_: str) -> Callable[[], int]:
    """Return a counter of what one gets from another, behind every partition."""
    address = bed.nodes[from_].ground.address
    ground = bed.nodes[node_id].ground
    ground.run("iptables", "-w", "-I", "INPUT", "-s", address)

    def packets() -> int:
        rules = ground.run("iptables", "-w", "-nvxL", "INPUT").splitlines()
        counts = (r for r in rules if address in r and "DROP" not in r)
        return int(next(counts).split()[0])

    return packets


@pytest.mark.parametrize("is_inbound", [True, False], ids=["inbound", "outbound"])
def test_a_partition_can_be_one_way(bed: ContainerBed, is_inbound: bool) -> None:
    """What travels the other way arrives."""
    at_a, at_b = received(bed, "a", "b"), received(bed, "b", "a")
    lost, kept = (at_a, at_b) if is_inbound else (at_b, at_a)

    bed.partition("a", ["b"], inbound=is_inbound, outbound=not is_inbound)

    lost_before, kept_before = lost(), kept()
    wait_until(lambda: kept() > kept_before + 2, "what is sent the other way")
    assert lost() == lost_before


def write_s(bed: Bed, node_id: str) -> float:
    """Return how long a write takes."""
    began_s = time.monotonic()
    keep(bed, node_id)
    return time.monotonic() - began_s


def test_a_slow_link_delays_what_is_written(bed: ContainerBed) -> None:
    """A leader's every append comes late; the way to its clients stays quick."""
    leader = leader_of(bed)

    bed.slow_link(leader, delay_ms=80, jitter_ms=10)

    assert min(write_s(bed, leader) for _ in range(5)) > 0.065
    bed.heal()
    wait_until(lambda: write_s(bed, leader_of(bed)) < 0.065, "a quick write")


def resent(bed: ContainerBed, node_id: str) -> int:
    """Return how many segments were sent once more there."""
    lines = bed.nodes[node_id].ground.run("cat", "/proc/net/snmp").splitlines()
    names, values = (line.split() for line in lines if line.startswith("Tcp:"))
    return int(values[names.index("RetransSegs")])


def test_a_lossy_link_loses_packets_and_no_writes(bed: ContainerBed) -> None:
    """TCP sends them again."""
    leader = leader_of(bed)
    before = resent(bed, leader)

    bed.slow_link(leader, delay_ms=0, loss=0.2)

    wait_until(lambda: bool(keep(bed, "a")) and resent(bed, leader) > before, "a loss")


def test_an_unplugged_one_has_no_name_and_maybe_another_address(
    bed: ContainerBed,
) -> None:
    """Its clients still reach it; the others find it again by its name."""
    victim = leader_of(bed)
    rest = others(bed, victim)

    bed.unplug(victim)
    bed.unplug(victim)

    assert bed.nodes[victim].ground.address == ""
    wait_until(lambda: leads_among(bed, rest), "another leader")
    wait_until(lambda: members(bed, rest[0])[victim] is False, "a link that is down")
    assert try_ask(bed.url(victim), "/health") is not None
    bed.partition(rest[0], [victim])  # nothing to cut, and no failure
    bed.heal()
    bed.wait_ready()
    assert members(bed, rest[0])[victim] is True
