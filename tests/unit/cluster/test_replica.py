"""A replica as its user sees it: a cluster of one, in virtual time."""

import asyncio
from random import Random

import pytest

from cluster.config import ClusterConfig
from cluster.errors import DiskLow, NoLeader, SchemaNotAgreed, Stopping
from cluster.ports import Surroundings
from cluster.raft import library
from cluster.replica import Replica
from tests.scenarios.support_hands import HandLinks, HandWorker, Notebook, Wires, die
from tests.support.sim_files import SimFiles
from tests.support.virtual import virtually


class One:
    """A cluster of one, and what it stands on."""

    def __init__(self, files: SimFiles | None = None, *, schema: int = 1) -> None:
        self.loop = asyncio.get_running_loop()
        library.install(self.loop.time, Random(1))
        self.files = files or SimFiles()
        self.machine = Notebook()
        surroundings = Surroundings(
            files=self.files,
            log_worker=HandWorker(),
            bulk_worker=HandWorker(),
            links=HandLinks(Wires(), "a"),
            random=Random(2),
            fatal=die,
        )
        config = ClusterConfig("a", ("a",), schema=schema)
        self.replica = Replica(config, self.machine, surroundings)

    async def propose(self, command: bytes) -> bytes:
        """Propose with a deadline of a second."""
        deadline_s = self.loop.time() + 1.0
        return (await self.replica.propose(command, deadline_s=deadline_s)).outcome


@virtually
async def test_a_cluster_of_one_founds_itself_and_serves() -> None:
    """Nobody else is needed, and nothing else is waited for."""
    one = One()
    await one.replica.start()

    assert await one.propose(b"x") == b"x"
    assert one.replica.status().caught_up
    assert one.loop.time() < 0.2
    await one.replica.stop()


@virtually
async def test_a_call_before_the_start_waits_for_it_until_the_deadline() -> None:
    """The seed's clients break on a 503, and a disk of 100,000 takes a second."""
    one = One()
    with pytest.raises(NoLeader, match="still reading its disk"):
        await one.propose(b"x")
    early = one.loop.create_task(one.propose(b"y"))
    await one.replica.start()

    assert await early == b"y"
    await one.replica.stop()


@virtually
async def test_a_barrier_is_an_index_that_was_applied() -> None:
    """Reads from then on see everything acknowledged before."""
    one = One()
    await one.replica.start()
    await one.propose(b"x")
    before = one.replica.applied_index
    index = await one.replica.barrier(deadline_s=one.loop.time() + 1.0)

    assert index > before
    assert await one.replica.wait_applied(index, deadline_s=one.loop.time())
    assert not await one.replica.wait_applied(
        index + 100, deadline_s=one.loop.time() + 0.1
    )
    await one.replica.stop()


@virtually
async def test_with_little_disk_writes_are_refused_and_reads_are_not() -> None:
    """A full disk would end the replica; it must not come to that."""
    one = One()
    await one.replica.start()
    await one.propose(b"x")
    plenty, one.files.free = one.files.free, 1024 * 1024
    await asyncio.sleep(1.5)
    with pytest.raises(DiskLow):
        await one.propose(b"y")
    assert await one.replica.barrier(deadline_s=one.loop.time() + 1.0) > 0
    one.files.free = plenty
    await asyncio.sleep(1.5)

    assert await one.propose(b"z") == b"z"
    assert one.machine.commands == [b"x", b"z"]
    await one.replica.stop()


@virtually
async def test_after_the_stop_proposals_are_refused() -> None:
    """And everything acknowledged is there at the next start."""
    one = One()
    await one.replica.start()
    await one.propose(b"x")
    await one.replica.stop()
    with pytest.raises(Stopping):
        await one.propose(b"y")
    again = One(one.files)
    await again.replica.start()
    await again.replica.barrier(deadline_s=again.loop.time() + 1.0)

    assert again.machine.commands == [b"x"]
    await again.replica.stop()


@virtually
async def test_a_duty_runs_once_it_leads_and_ends_with_the_stop() -> None:
    """Not before the own first entry is applied."""
    one = One()
    log: list[str] = []

    async def duty() -> None:
        log.append(f"begins at {one.replica.applied_index}")
        try:
            await asyncio.Event().wait()
        finally:
            log.append("ends")

    one.replica.add_duty("sweep", duty)
    await one.replica.start()
    await one.propose(b"x")
    await one.replica.stop()
    await asyncio.sleep(0)

    assert log[-1] == "ends"
    assert log[0] in ("begins at 2", "begins at 3")


@virtually
async def test_a_command_waits_until_all_members_understand_its_schema() -> None:
    """I1: an old member that skipped what it does not know would diverge."""
    new, old = One(schema=2), One()
    await new.replica.start()
    await old.replica.start()
    deadline_s = new.loop.time() + 1.0
    applied = await new.replica.propose(b"x", deadline_s=deadline_s, schema=2)
    with pytest.raises(SchemaNotAgreed):
        await old.replica.propose(b"x", deadline_s=deadline_s, schema=2)

    assert applied.outcome == b"x"
    assert old.machine.commands == []
    assert await old.propose(b"y") == b"y"
    await new.replica.stop()
    await old.replica.stop()
