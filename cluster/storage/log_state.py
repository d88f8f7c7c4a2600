"""Where the log stands after a number of records. Pure.

The writer keeps one to fill the next segment's header; recovery replays into one and
compares it with the headers that it meets, so a record that got lost is seen.
"""

from collections.abc import Iterable

from cluster.storage.records import Commit, Entry, HardState, Record, Truncate
from cluster.storage.segment import SegmentHeader


class LogState:
    """Term, vote, commit index and the log's end.

    Invariant: ``_runs`` holds (first index, term) of each stretch of entries of one
    term, ascending, none beyond ``last_index``: so the last term is known after a
    truncation without keeping the entries.
    """

    def __init__(self) -> None:
        self.term = 0
        self.voted_for: str | None = None
        self.commit_index = 0
        self.last_index = 0
        self._runs: list[tuple[int, int]] = []

    @classmethod
    def at_start_of(cls, header: SegmentHeader) -> "LogState":
        """Return the state that a segment begins with."""
        state = cls()
        state.term, state.voted_for = header.term, header.voted_for
        state.commit_index = header.commit_index
        state.last_index = header.last_index
        if header.last_term:
            state._runs.append((header.last_index, header.last_term))
        return state

    @property
    def last_term(self) -> int:
        """Term of the last entry; 0 when there is none, or it is not known."""
        return self._runs[-1][1] if self._runs else 0

    def agrees_with(self, header: SegmentHeader) -> bool:
        """Whether a segment with this header can follow."""
        return (
            (header.term, header.voted_for) == (self.term, self.voted_for)
            and header.commit_index == self.commit_index
            and header.last_index == self.last_index
            # 0: one of the two does not know it.
            and (
                header.last_term == self.last_term
                or 0 in (header.last_term, self.last_term)
            )
        )

    def apply(self, records: Iterable[Record]) -> None:
        """Follow ``records``.

        Raises ValueError for an entry that is not the next one, or a truncation
        beyond the end: the caller's log and this one would differ from then on.
        """
        runs = self._runs
        for record in records:
            if isinstance(record, Entry):
                if record.index != self.last_index + 1:
                    raise ValueError(
                        f"entry {record.index} follows entry {self.last_index}"
                    )
                self.last_index = record.index
                if not runs or runs[-1][1] != record.term:
                    runs.append((record.index, record.term))
            elif isinstance(record, Commit):
                self.commit_index = record.index
            elif isinstance(record, HardState):
                self.term, self.voted_for = record.term, record.voted_for
            elif isinstance(record, Truncate):
                self._truncate(record.from_index)
            else:
                self.last_index = record.index
                runs[:] = [(record.index, record.term)]

    def forget_before(self, index: int) -> None:
        """Keep no terms that only entries before ``index`` have."""
        while len(self._runs) > 1 and self._runs[1][0] <= index:
            del self._runs[0]

    def _truncate(self, from_index: int) -> None:
        if not 1 <= from_index <= self.last_index + 1:
            raise ValueError(
                f"truncation from {from_index}, but the log ends at {self.last_index}"
            )
        self.last_index = from_index - 1
        while self._runs and self._runs[-1][0] >= from_index:
            self._runs.pop()
