"""Whom this replica follows, for how long it has heard nothing, and whether it caught
up.
"""

from cluster.raft import library
from cluster.raft.core import RaftCore
from cluster.raft.transport import RaftTransport


class Contact:
    """One replica's relation to the leader.

    ``caught_up`` never goes back: see I10 for what follows from it.
    """

    def __init__(self, core: RaftCore, transport: RaftTransport) -> None:
        self._core = core
        self._transport = transport
        self._seen: tuple[str | None, int] = (None, 0)
        self.caught_up = False
        self.led_term = 0
        """The newest term that this replica led since its start."""
        self._led_until_s: float | None = None

    def note(self) -> tuple[str | None, int] | None:
        """Look again; return (leader, term) when they changed since the last look."""
        core = self._core
        if not self.caught_up:
            self.caught_up = self._is_caught_up()
        seen = (core.leader, int(core.raftCurrentTerm))
        if seen == self._seen:
            return None
        self._seen = seen
        return seen

    def _is_caught_up(self) -> bool:
        """Whether an entry of a leader that we heard, or were, was applied here.

        Also everything that this leader had committed when it was first heard in its
        term: an entry of its term may be an old one on our own disk. By terms, not by
        who leads at this moment: it may have changed since the entry was applied.
        """
        core = self._core
        if core.applied_term == 0:
            return False
        if core.applied_term == self.led_term:
            return True
        heard_term, heard_commit = self._transport.contact
        return core.applied_term == heard_term and core.raftLastApplied >= heard_commit

    def led_until(self, heard_s: float) -> None:
        """We led, and a majority had last answered then: as good as a leader heard."""
        self._led_until_s = heard_s

    def append_age_s(self) -> float | None:
        """Seconds since somebody else's append; 0.0 while leading, None if never."""
        return self._age_s(self._transport.last_append_s)

    def leader_age_s(self) -> float | None:
        """How old our state may be: since a leader was heard, or was this replica."""
        heard = (self._transport.last_append_s, self._led_until_s)
        return self._age_s(max((h for h in heard if h is not None), default=None))

    def _age_s(self, heard_s: float | None) -> float | None:
        if self._core.is_leader:
            return 0.0
        return None if heard_s is None else library.now_s() - heard_s
