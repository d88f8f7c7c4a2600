"""The log after a crash at any operation, with and without a power cut (I9)."""

import errno
from dataclasses import dataclass, replace
from random import Random

import pytest

from cluster.identity import Identity
from cluster.storage.records import NO_OP, Commit, Entry, HardState, Reset, Truncate
from cluster.storage.wal import Wal
from tests.support.sim_files import SimFiles
from tests.unit.storage.samples import ALICE, SMALL, Model, entry, recover

POWER_CUTS = 6
"""Dice rolls per crash point."""


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Trip:
    """A hook that raises at the n-th operation."""

    at: int
    error: BaseException
    count: int = 0

    def __call__(self, name: str) -> None:
        """Count an operation."""
        self.count += 1
        if self.count == self.at:
            raise self.error


def run(files: SimFiles, models: list[Model]) -> None:
    """Recover and drive a log through all that it can do, one model per step done."""
    wal, _ = Wal.recover(files, SMALL)

    def done(model: Model) -> None:
        models.append(model)

    def write(*records: Entry | Truncate | HardState | Commit | Reset) -> None:
        models.append(models[-1].after(*records))
        wal.write(records)
        models.append(models[-1])

    def identify(identity: Identity) -> None:
        done(replace(models[-1], identity=identity))
        wal.write_identity(identity)
        done(models[-1])

    def drop(index: int) -> None:
        done(replace(models[-1], floor=index))
        wal.drop_before(index)
        done(models[-1])

    identify(Identity("a"))
    identify(ALICE)
    write(Entry(1, 0, NO_OP))
    write(HardState(1, "b"))
    for index in range(2, 12):
        write(entry(index), Commit(index - 1))
    write(Truncate(9), entry(9, 2), entry(10, 2))
    drop(7)
    for index in range(11, 20):
        write(HardState(index, None), entry(index, 2))
    write(Reset(40, 3), entry(41, 3), Commit(41))
    drop(40)
    for index in range(42, 47):
        write(entry(index, 3))
    wal.close()


def length() -> int:
    """Return how many operations an undisturbed run has."""
    trip = Trip(-1, Crash())
    run(SimFiles(trip), [Model()])
    return trip.count


def interrupted(at: int, error: BaseException) -> tuple[SimFiles, list[Model]]:
    """Return the disk of a run that ended at one operation, and what it had done."""
    files = SimFiles(Trip(at, error))
    models = [Model()]
    with pytest.raises(type(error)):
        run(files, models)
    files.on_operation = None
    return files, models


def check(files: SimFiles, models: list[Model]) -> Model:
    """Judge what a new process finds: all that was acknowledged, nothing invented.

    The last model but one was acknowledged; the last may have been under way.
    """
    found = recover(files)
    fitting = [model for model in models[-2:] if model.matches(found)]
    assert fitting, f"found {found}, expected one of {models[-2:]}"
    again = recover(files)
    assert (again.entries, again.torn_bytes) == (found.entries, 0)
    return fitting[0]


def write_on(files: SimFiles, model: Model) -> None:
    """Go on with the log, and find that too."""
    wal, found = Wal.recover(files, SMALL)
    if found.identity is None:
        wal.write_identity(ALICE)
        model = replace(model, identity=ALICE)
    following = entry(found.entries[-1][1] + 1 if found.entries else 1, 9)
    wal.write([following])
    files.power_cut(Random(0))
    assert model.after(following).matches(recover(files))


def test_a_killed_process_loses_nothing_acknowledged() -> None:
    """The page cache survives; the last batch may be there unsynced."""
    for at in range(1, length() + 1):
        files, models = interrupted(at, Crash())
        files.crash()
        write_on(files, check(files, models))


def test_a_power_cut_loses_nothing_acknowledged() -> None:
    """Names and bytes that were not synced are gone, or garbage, or whole."""
    for at in range(1, length() + 1):
        for seed in range(POWER_CUTS):
            files, models = interrupted(at, Crash())
            files.power_cut(Random(at * 100 + seed))
            write_on(files, check(files, models))


def test_a_crash_while_recovering_loses_nothing_acknowledged() -> None:
    """Recovery writes the newest segment anew; that may be interrupted as well."""
    for at in range(1, length() + 1, 2):
        for recovery_at in range(1, 40):
            files, models = interrupted(at, Crash())
            files.power_cut(Random(at))
            files.on_operation = Trip(recovery_at, Crash())
            try:
                recover(files)
            except Crash:
                files.on_operation = None
                files.power_cut(Random(recovery_at))
                check(files, models)
            else:
                break


def test_an_io_error_then_a_power_cut_loses_nothing_acknowledged() -> None:
    """A failed sync leaves bytes that only seem written.

    The process ends, the next one finds the last batch whole, and acknowledges it:
    it must really be on disk by then.
    """
    for at in range(1, length() + 1):
        files, models = interrupted(at, OSError(errno.EIO, "simulated"))
        files.crash()
        wal, found = Wal.recover(files, SMALL)
        wal.close()
        files.power_cut(Random(at))
        again = recover(files)

        assert any(model.matches(found) for model in models[-2:])
        assert (again.identity, again.entries) == (found.identity, found.entries)
        assert (again.term, again.voted_for) == (found.term, found.voted_for)
