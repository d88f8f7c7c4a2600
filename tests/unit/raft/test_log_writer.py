"""LogWriter: one sync at a time, the next one takes what has gathered."""

import asyncio
from random import Random
from typing import Any, cast

import pytest

from cluster.entry import NO_OP
from cluster.identity import Identity
from cluster.ports import Links, Surroundings
from cluster.raft import library
from cluster.raft.journal import RaftJournal
from cluster.raft.log_writer import LogWriter
from cluster.storage.records import Entry, Record
from tests.scenarios.support_hands import Died, HandClock, HandWorker, die
from tests.support.sim_files import SimFiles
from tests.support.virtual import virtually

SLOW_S = 0.3


class Log:
    """A log writer, and the log that it writes."""

    def __init__(self) -> None:
        self.clock = HandClock()
        library.install(self.clock.now_s)
        self.journal = RaftJournal([(NO_OP, 1, 0)], 0, None, 1)
        self.written: list[list[Record]] = []
        self.identities: list[Identity] = []
        self.durable_when_told: list[int] = []
        self.error: OSError | None = None
        self.is_closed = False
        self.worker = HandWorker()
        self.worker.eager = False
        surroundings = Surroundings(
            files=SimFiles(),
            log_worker=self.worker,
            bulk_worker=HandWorker(),
            links=cast("Links", None),
            random=Random(0),
            fatal=die,
        )
        self.writer = LogWriter(
            self.journal, cast("Any", self), surroundings, self.told, slow_s=SLOW_S
        )

    def told(self) -> None:
        """Note how far the journal was when the owner was told."""
        self.durable_when_told.append(self.journal.durable_index)

    def write(self, records: list[Record]) -> None:
        """Stand for the log's files."""
        if self.error is not None:
            raise self.error
        self.written.append(records)

    def write_identity(self, identity: Identity) -> None:
        """Stand for the log's files."""
        self.identities.append(identity)

    def close(self) -> None:
        """Stand for the log's files."""
        self.is_closed = True

    def add(self, index: int) -> None:
        """Add an entry."""
        self.journal.add(b"\0", index, 1)


def test_records_of_one_sync_gather_while_the_former_runs() -> None:
    """So syncs grow with the load, and there is never a queue of them."""
    log = Log()
    log.writer.write()
    for index in (2, 3, 4):
        log.add(index)
        log.writer.write()
    assert len(log.worker.jobs) == 1
    log.worker.release()
    assert len(log.written) == 1
    log.writer.write()
    log.worker.release()

    entries = [record for record in log.written[1] if isinstance(record, Entry)]
    assert [entry.index for entry in entries] == [2, 3, 4]
    assert log.writer.syncs == 2


def test_nothing_is_synced_when_nothing_waits() -> None:
    """An idle replica leaves its disk alone."""
    log = Log()
    log.writer.write()
    log.worker.release()
    log.writer.write()

    assert not log.worker.jobs
    assert log.writer.syncs == 1


def test_the_owner_is_told_when_the_journal_knows() -> None:
    """Acks that wait for the sync are counted right then."""
    log = Log()
    log.add(2)
    log.writer.write()
    assert log.journal.durable_index == 0
    log.worker.release()

    assert log.durable_when_told == [2]


def test_what_is_added_during_a_sync_is_not_covered_by_it() -> None:
    """It may not be in the bytes that were written."""
    log = Log()
    log.writer.write()
    log.add(2)
    log.worker.release()

    assert log.durable_when_told == [1]
    assert log.journal.has_pending


def test_the_time_of_a_sync_under_way_can_be_asked() -> None:
    """Fitness steps down by it."""
    log = Log()
    assert log.writer.busy_s() == 0.0
    log.writer.write()
    log.clock.advance(0.2)
    assert log.writer.busy_s() == pytest.approx(0.2, abs=0.01)
    log.worker.release()

    assert log.writer.busy_s() == 0.0
    assert log.writer.last_sync_s == pytest.approx(0.2, abs=0.01)
    assert log.writer.slow_syncs == 0


def test_slow_syncs_are_counted() -> None:
    """Each may have cost the leadership."""
    log = Log()
    log.writer.write()
    log.clock.advance(SLOW_S + 0.01)
    log.worker.release()

    assert log.writer.slow_syncs == 1


def test_a_failed_write_ends_the_replica() -> None:
    """No retry: a later sync on that descriptor may wrongly succeed."""
    log = Log()
    log.error = OSError(5, "Input/output error")
    log.writer.write()

    with pytest.raises(Died, match=r"the disk failed: .*Input/output error"):
        log.worker.release()
    assert log.durable_when_told == []
    assert log.journal.durable_index == 0


def test_an_identity_goes_behind_the_records_before_it() -> None:
    """It must not claim what the log does not hold yet."""
    log, done = Log(), []
    log.writer.write()
    log.writer.write_identity(Identity("a"), lambda: done.append(len(log.written)))
    assert done == []
    log.worker.release()

    assert done == [1]
    assert log.identities == [Identity("a")]


@virtually
async def test_waiting_ends_when_all_that_was_there_is_on_disk() -> None:
    """Also what only the next sync takes; not what comes later."""
    log = Log()
    log.writer.write()
    log.add(2)
    waiting = asyncio.get_running_loop().create_task(log.writer.wait_synced())
    await asyncio.sleep(0.01)
    log.worker.release()
    log.add(3)
    assert not waiting.done()
    await asyncio.sleep(0.01)
    log.worker.release()
    await asyncio.wait_for(waiting, 1.0)

    assert log.journal.durable_index >= 2


def test_closing_closes_the_file() -> None:
    """In the worker, as the owner sees to."""
    log = Log()
    log.writer.close()

    assert log.is_closed
