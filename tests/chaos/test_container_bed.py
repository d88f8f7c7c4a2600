"""Each verb for processes and disks does to real containers what its name says."""

import time
from functools import partial
from pathlib import Path

import pytest

from tests.chaos.bed import BedFailed
from tests.chaos.beds import container_engine
from tests.chaos.beds.container_ground import RUNS_AS
from tests.chaos.beds.containers import ContainerBed, container_bed
from tests.chaos.container_asking import (
    SERVICE,
    keep,
    leads_among,
)
from tests.support.background import Background
from tests.support.bed_questions import leader_of, others, write
from tests.support.process_duties import listed, register, wait_listed
from tests.support.process_http import metric, try_ask
from tests.support.small_service import SmallServices
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.usefixtures("healed"),
]


def test_a_killed_one_is_gone_and_comes_back_with_its_data(bed: ContainerBed) -> None:
    """Killed twice is killed; what was written before and meanwhile is there."""
    victim = leader_of(bed)
    rest = others(bed, victim)
    before = keep(bed, victim)

    bed.kill(victim)
    bed.kill(victim)

    assert try_ask(bed.url(victim), "/health") is None
    meanwhile = keep(bed, rest[0])
    bed.start(victim)
    bed.start(victim)
    bed.wait_ready()
    assert {before, meanwhile} <= listed(bed.url(victim), SERVICE)


def test_a_stopped_one_hands_over_and_ends_by_itself(bed: ContainerBed) -> None:
    """SIGTERM reaches the registry: nothing stands between it and the engine."""
    victim = leader_of(bed)
    began_s = time.monotonic()

    bed.stop(victim)

    assert time.monotonic() - began_s < 10.0
    bed.nodes[victim].container.reload()
    assert bed.nodes[victim].container.attrs["State"]["ExitCode"] == 0
    assert b'"Stopped"' in bed.nodes[victim].logs


def test_a_paused_one_says_nothing_until_it_is_resumed(bed: ContainerBed) -> None:
    """The others go on without it; it wakes up where it was."""
    victim = leader_of(bed)
    rest = others(bed, victim)

    bed.pause(victim)
    bed.pause(victim)

    assert try_ask(bed.url(victim), "/health", timeout_s=0.5) is None
    wait_until(lambda: leads_among(bed, rest), "another leader")
    bed.resume(victim)
    bed.wait_ready()
    assert try_ask(bed.url(victim), "/health") is not None


def test_a_paused_one_can_be_killed(bed: ContainerBed) -> None:
    """A nemesis asks for a verb in any state."""
    bed.pause("b")
    bed.kill("b")

    assert bed.nodes["b"].has_ended


class Reads(Background):
    """Keeps a replica busy."""

    def __init__(self, url: str) -> None:
        super().__init__("reads")
        self._url = url

    def run(self) -> None:
        """See Background."""
        while not self.is_over:
            try_ask(self._url, "/services", timeout_s=5.0)


def processor_share(url: str, *, seconds: float) -> float:
    """Return what part of a processor a busy replica gets."""
    used = partial(metric, url, "process_cpu_seconds_total")
    with Reads(url), Reads(url):
        began_s, before_s = time.monotonic(), used()
        wait_until(lambda: time.monotonic() - began_s > seconds, "time")
        return (used() - before_s) / (time.monotonic() - began_s)


def test_a_starved_one_gets_little_of_a_processor(bed: ContainerBed) -> None:
    """Until it is fed again."""
    victim = others(bed, leader_of(bed))[0]

    bed.starve(victim)

    assert processor_share(bed.url(victim), seconds=2.0) < 0.08
    bed.feed(victim)
    wait_until(lambda: processor_share(bed.url(victim), seconds=0.5) > 0.1, "a share")


def test_a_full_disk_takes_no_more_writes_until_it_is_mended(
    bed: ContainerBed,
) -> None:
    """It hands leadership over, and the others go on."""
    victim = leader_of(bed)
    rest = others(bed, victim)

    bed.fill_disk(victim)

    wait_until(lambda: leads_among(bed, rest), "another leader")
    wait_until(lambda: write(bed, victim).status == 503, "a refusal")
    assert write(bed, victim)["code"] == "disk_low"
    keep(bed, rest[0])
    bed.mend_disk(victim)
    wait_until(lambda: write(bed, victim).status == 200, "a write")


def test_a_wiped_one_is_filled_again_by_the_others(bed: ContainerBed) -> None:
    """Only one that is down can be wiped."""
    victim = leader_of(bed)
    written = keep(bed, victim)
    with pytest.raises(BedFailed):
        bed.wipe(victim)
    bed.kill(victim)

    bed.wipe(victim)

    assert bed.nodes[victim].ground.run("ls", "-A", "/data", user=RUNS_AS) == ""
    bed.start(victim)
    bed.wait_ready()
    assert written in listed(bed.url(victim), SERVICE)


def test_replicas_reach_services_on_this_machine(bed: ContainerBed) -> None:
    """At ``service_host``: so their checks are real."""
    urls = [bed.url(node_id) for node_id in bed.node_ids]
    with SmallServices(bed.service_host) as services:
        host, port = services[0].host, services[0].port
        check = {"kind": "http", "interval_seconds": 1, "failures": 1}
        checked = register(urls[0], "checked", host, port, check=check)
        wait_until(lambda: services[0].probes > 1, "probes")
        wait_listed(urls, "checked", {checked})

        services[0].status = 500

        wait_listed(urls, "checked", set())


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Neither when a test breaks off: no container, no network, no volume."""
    client = container_engine.connect()
    made: dict[str, list[str]] = {}

    def break_off() -> None:
        with container_bed(tmp_path) as bed:
            made[bed.run] = container_engine.names(client, bed.run)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()

    ((run, names),) = made.items()
    assert len(names) == 3 * (2 + 1) + 2 + 1
    assert container_engine.names(client, run) == []
    assert {path.name for path in tmp_path.iterdir()} == {"a.log", "b.log", "c.log"}
    client.close()


def test_what_is_old_is_taken_away(bed: ContainerBed) -> None:
    """A run that was cut off could not; one that goes on keeps what is its own."""
    client = container_engine.connect()
    made_s = time.time() - container_engine.LEFT_BEHIND_S - 60.0
    old = {"labels": container_engine.labels("old", made_s=made_s)}
    client.volumes.create("registry-old-volume", **old)
    client.networks.create("registry-old-network", **old)
    own = container_engine.names(client, bed.run)

    container_engine.reap(client)

    assert container_engine.names(client, "old") == []
    assert container_engine.names(client, bed.run) == own
    client.close()
