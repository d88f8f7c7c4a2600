"""Each verb of the bed of processes does to a real cluster what it says, and no more.

One cluster for all of them: each test puts right what it did. The disk and the clock
are looked at more closely in `tests/e2e/shim`.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.chaos.bed import BedFailed
from tests.chaos.beds.processes import SHIM_VERBS, VERBS, ProcessBed, process_bed
from tests.chaos.beds.relay import Relays
from tests.support.bed_questions import (
    TRIED,
    fastest_write_s,
    hears,
    judge,
    leader_of,
    others,
    urls,
    write,
)
from tests.support.process_cluster import ProcessCluster
from tests.support.process_duties import listed, register
from tests.support.process_http import ask, instances, try_ask
from tests.support.process_load import Load
from tests.support.process_replica import COMMAND, ReplicaProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

EXIT_FATAL = 70
DEADLINE_S = 1.5
HOURS_S = 3 * 3600.0
HASTY = {"SERVICE_REGISTRY_REQUEST_DEADLINE": f"{DEADLINE_S}"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessBed]:
    """Run three replicas; they do not wait for each other long."""
    folder = tmp_path_factory.mktemp("bed")
    with process_bed(folder, settings=lambda _: HASTY) as bed:
        yield bed


@pytest.fixture
def bed(running: ProcessBed) -> Iterator[ProcessBed]:
    """Use the cluster, and leave it as it was."""
    yield running
    running.heal()
    for node_id in running.node_ids:
        running.resume(node_id)
        if running.verbs >= SHIM_VERBS:
            running.mend_disk(node_id)
            running.step_clock(node_id, seconds=0.0)
        running.start(node_id)
    running.wait_ready()


@pytest.fixture
def disks(bed: ProcessBed) -> ProcessBed:
    """Use the cluster, with what befalls disks and clocks."""
    if not bed.verbs >= SHIM_VERBS:
        pytest.skip("there is no C compiler")  # under CI the bed raises
    return bed


# -- the process


def test_a_killed_replica_is_gone_and_comes_back(bed: ProcessBed) -> None:
    """Twice is as good as once."""
    bed.kill("a")
    bed.kill("a")
    bed.stop("a")
    assert try_ask(bed.url("a"), "/health") is None
    with pytest.raises(BedFailed):
        bed.wait_ready()
    bed.start("a")
    bed.start("a")
    bed.wait_ready()

    assert bed.leader() in bed.node_ids


def test_a_stopped_replica_ends_by_itself_even_if_it_was_paused(
    bed: ProcessBed,
) -> None:
    """SIGTERM, not SIGKILL: it says farewell."""
    bed.pause("b")
    bed.stop("b")

    assert bed["b"].wait() == 0


def test_a_paused_replica_stands_still_until_it_is_resumed(bed: ProcessBed) -> None:
    """It is there, and does not answer."""
    bed.pause("c")
    assert bed["c"].is_running
    assert try_ask(bed.url("c"), "/health", timeout_s=0.3) is None
    bed.resume("c")

    assert ask(bed.url("c"), "/health").status == 200


# -- the links


def test_a_leader_cut_off_refuses_writes_and_the_others_go_on(bed: ProcessBed) -> None:
    """Silently: it still answers what it knows. Healed, all know the same."""
    cut = leader_of(bed)
    survivors = others(bed, cut)
    assert write(bed, cut).status == 200
    with Load(urls(bed, survivors), leave_each=3) as load:
        load.wait_acknowledged(50)
        bed.partition(cut, survivors)
        load.wait_acknowledged(300)
        refused = write(bed, cut)
        local = ask(bed.url(cut), "/services/tried")
        new = {bed[n].state()["leader"] for n in survivors}
    assert refused.status in (503, 504)
    assert TRIED.encode() in local.body
    assert len(new) == 1
    assert cut not in new
    bed.heal()
    judge(load, bed)


def test_a_partition_may_be_one_way(bed: ProcessBed) -> None:
    """A replica that is not heard hears; one that does not hear is not told."""
    leader = leader_of(bed)
    follower, _ = others(bed, leader)
    bed.partition(follower, others(bed, follower), inbound=False)
    assert hears(bed, follower, leader)
    bed.heal()
    bed.partition(follower, others(bed, follower), outbound=False)

    assert not hears(bed, follower, leader)


def test_slow_links_delay_what_one_sends(bed: ProcessBed) -> None:
    """Of the leader: each write; of one follower: none, as the other is enough."""
    leader = leader_of(bed)
    follower, _ = others(bed, leader)
    bed.slow_link(follower, delay_ms=150.0)
    assert fastest_write_s(bed, leader) < 0.15
    bed.heal()
    bed.slow_link(leader, delay_ms=150.0, jitter_ms=10.0)
    assert fastest_write_s(bed, leader) > 0.14
    bed.heal()
    assert fastest_write_s(bed, leader) < 0.15


# -- the disk


def test_a_power_cut_of_all_loses_nothing_acknowledged(disks: ProcessBed) -> None:
    """At once: killed first, so that nobody syncs what another one has lost."""
    for _ in range(2):
        with Load(urls(disks, disks.node_ids), leave_each=3) as load:
            load.wait_acknowledged(300)
            for node_id in disks.node_ids:
                disks.kill(node_id)
            for node_id in disks.node_ids:
                disks.power_cut(node_id)
        for node_id in disks.node_ids:
            disks.start(node_id)
        judge(load, disks)


def test_a_power_cut_finds_a_registry_that_does_not_sync(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    python, m, _, *serve = COMMAND
    command = (python, m, "tests.support.planted", "skip-syncs", *serve)
    with process_bed(tmp_path, command=command) as bed:
        with Load(urls(bed, bed.node_ids)) as load:
            load.wait_acknowledged(50)
            for node_id in bed.node_ids:
                bed.power_cut(node_id)
        for node_id in bed.node_ids:
            bed.start(node_id)
        with pytest.raises((AssertionError, BedFailed)):
            judge(load, bed)


def test_writes_do_not_wait_for_the_slowest_disk(disks: ProcessBed) -> None:
    """They do for the second slowest."""
    leader = leader_of(disks)
    slow, other = others(disks, leader)
    disks.slow_disk(slow, sync_ms=200.0)
    assert fastest_write_s(disks, leader) < 0.2
    disks.slow_disk(other, sync_ms=200.0)
    assert fastest_write_s(disks, leader) >= 0.2
    for node_id in (slow, other):
        disks.mend_disk(node_id)
    assert fastest_write_s(disks, leader) < 0.2


def test_a_broken_disk_ends_its_replica_alone(disks: ProcessBed) -> None:
    """It comes back with a disk that works, and knows all."""
    broken = leader_of(disks)
    with Load(urls(disks, others(disks, broken))) as load:
        load.wait_acknowledged(50)
        disks.break_disk(broken)
        assert disks[broken].wait() == EXIT_FATAL
        load.wait_acknowledged(100)
    assert load.failures == []
    disks.mend_disk(broken)
    disks.start(broken)
    disks.wait_ready()
    load.verify(disks.url(broken))


def test_a_full_disk_refuses_or_ends_and_the_others_go_on(disks: ProcessBed) -> None:
    """With room again it comes back, and knows all."""
    full = leader_of(disks)

    def is_quiet() -> bool:
        health = try_ask(disks.url(full), "/health")
        return not disks[full].is_running or (
            health is not None and b"disk_low" in health.body
        )

    with Load(urls(disks, others(disks, full))) as load:
        load.wait_acknowledged(50)
        disks.fill_disk(full)
        wait_until(is_quiet, "what it makes of a full disk")
        load.wait_acknowledged(100)
    disks.mend_disk(full)
    disks.start(full)
    disks.wait_ready()
    load.verify(disks.url(full))


def test_a_wiped_replica_is_filled_by_the_others(bed: ProcessBed) -> None:
    """Only one that is down can be wiped."""
    data = Path(bed["a"].settings["SERVICE_REGISTRY_DATA_DIR"])
    with Load([bed.url("b")]) as load:
        load.wait_acknowledged(50)
    with pytest.raises(BedFailed):
        bed.wipe("a")
    bed.kill("a")
    bed.wipe("a")
    assert os.listdir(data) == []
    bed.start("a")
    bed.wait_ready()

    load.verify(bed.url("a"))


# -- the clock


def test_a_stepped_clock_is_told_and_nobody_is_evicted(disks: ProcessBed) -> None:
    """Leases are measured on clocks that cannot be set."""
    leader = leader_of(disks)
    kept = {register(disks.url(leader), "kept", "10.1.1.1", 80, ttl_seconds=60)}
    for seconds in (HOURS_S, -HOURS_S):
        disks.step_clock(leader, seconds=seconds)
        name = "ahead" if seconds > 0 else "behind"
        register(disks.url(leader), name, "10.1.1.2", 80, ttl_seconds=60)
        with Load(urls(disks, disks.node_ids)) as load:
            load.wait_acknowledged(200)
        assert load.failures == []
        for node_id in disks.node_ids:
            assert listed(disks.url(node_id), "kept") == kept
        (late,) = instances(disks.url(leader), name)
        at = datetime.fromisoformat(str(late["last_heartbeat"]))
        off_s = (at - datetime.now(UTC)).total_seconds()
        assert off_s == pytest.approx(seconds, abs=60.0)


# -- the bed


def test_without_a_compiler_the_verbs_of_disk_and_clock_are_missing(
    tmp_path: Path,
) -> None:
    """It says so at first, and when it is asked all the same."""
    alone = ReplicaProcess("a", "http://127.0.0.1:1", {}, tmp_path / "a.log")
    with Relays({"a": 1}) as relays:
        bed = ProcessBed(ProcessCluster({"a": alone}), relays, {})
        assert bed.verbs == VERBS
        with pytest.raises(BedFailed):
            bed.power_cut("a")
