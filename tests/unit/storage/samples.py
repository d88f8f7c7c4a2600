"""Material for the tests of the log, and the model of what it must hold."""

from dataclasses import dataclass, replace

from cluster.config import Limits
from cluster.identity import Identity, Standing
from cluster.storage.records import (
    NO_OP,
    Commit,
    Entry,
    HardState,
    Record,
    Reset,
    Truncate,
)
from cluster.storage.recovery import Recovered
from cluster.storage.wal import Wal
from tests.support.sim_files import SimFiles

ALICE = Identity("a", "c1", 1, ("a", "b", "c"), Standing.MEMBER)
SMALL = Limits(segment_bytes=300)
"""Segments of a few batches, so that short tests rotate."""


def entry(index: int, term: int = 1) -> Entry:
    """Return an entry whose command tells its index and term."""
    return Entry(index, term, b"command %d of term %d" % (index, term))


def founded(files: SimFiles, limits: Limits = SMALL) -> Wal:
    """Return the log of a new member, its first entry written."""
    wal, _ = Wal.recover(files, limits)
    wal.write_identity(ALICE)
    wal.write([Entry(1, 0, NO_OP)])
    return wal


def recover(files: SimFiles, limits: Limits = SMALL) -> Recovered:
    """Return what a new process finds, and leave the log closed."""
    wal, recovered = Wal.recover(files, limits)
    wal.close()
    return recovered


def indexes(recovered: Recovered) -> list[int]:
    """Return the indexes of the entries."""
    return [index for _, index, _ in recovered.entries]


@dataclass(frozen=True)
class Model:
    """What the log holds after some steps, kept in the dumbest way.

    ``floor``: entries before it may be gone, and may still be there.
    """

    identity: Identity | None = None
    entries: tuple[tuple[bytes, int, int], ...] = ()
    term: int = 0
    voted_for: str | None = None
    commit_index: int = 0
    floor: int = 0

    def after(self, *records: Record) -> "Model":
        """Return the model with ``records`` written."""
        model = self
        for record in records:
            if isinstance(record, Entry):
                added = (record.command, record.index, record.term)
                model = replace(model, entries=(*model.entries, added))
            elif isinstance(record, Truncate):
                kept = [e for e in model.entries if e[1] < record.from_index]
                model = replace(model, entries=tuple(kept))
            elif isinstance(record, HardState):
                model = replace(model, term=record.term, voted_for=record.voted_for)
            elif isinstance(record, Commit):
                model = replace(model, commit_index=record.index)
            elif isinstance(record, Reset):
                base = (NO_OP, record.index, record.term)
                model = replace(model, entries=(base,), floor=0)
        return model

    def matches(self, found: Recovered) -> bool:
        """Whether the log holds this, no more and no less."""
        first = found.entries[0][1] if found.entries else self.floor
        expected = [e for e in self.entries if e[1] >= first]
        last = self.entries[-1][1] if self.entries else 0
        return (
            found.identity == self.identity
            and found.entries == expected
            and (first <= self.floor or expected == list(self.entries))
            and (found.term, found.voted_for) == (self.term, self.voted_for)
            and found.commit_index == min(self.commit_index, last)
        )
