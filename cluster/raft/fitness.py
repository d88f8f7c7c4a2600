"""Whether this replica may vote, campaign, or go on leading; and handing the lead over.

Unfit is who stops, or whose disk is nearly full: it hands the lead over and does not
seek it, unless nobody else leads for a while (it may be the only one with the whole
log). Whose disk does not answer steps down, since it would hold up every write, and at
last ends. So does a leader that no majority answers: it may be heard and hear nothing.
"""

from collections.abc import Callable
from typing import NoReturn

from cluster.config import Timing
from cluster.identity import Identity, Standing
from cluster.raft import library
from cluster.raft.core import RaftCore
from cluster.raft.log_writer import LogWriter

DISK_HANGS_S = 30.0
"""A sync under way for this long ends the process: what waits for it only grows."""
ASK_EVERY_S = 0.3


class Fitness:
    """One replica's right to lead."""

    def __init__(
        self,
        core: RaftCore,
        writer: LogWriter,
        timing: Timing,
        peers: tuple[str, ...],
        *,
        identity: Callable[[], Identity],
        disk_low: Callable[[], bool],
        leader_age_s: Callable[[], float | None],
        hang_up: Callable[[str], None],
        fatal: Callable[[str], NoReturn],
    ) -> None:
        """``hang_up(peer)`` ends the links with it; they are dialled again."""
        self.is_stopping = False
        self._core = core
        self._writer = writer
        self._timing = timing
        self._peers = peers
        self._identity = identity
        self._disk_low = disk_low
        self._leader_age_s = leader_age_s
        self._hang_up = hang_up
        self._fatal = fatal
        self._began_s = library.now_s()
        self._next_ask_s = 0.0
        self._asked = 0
        self._deaf_since_s: float | None = None

    def may_vote(self) -> bool:
        """Whether this replica's vote counts (see founding)."""
        return self._identity().standing is Standing.MEMBER

    def may_campaign(self) -> bool:
        """Whether this replica may seek the lead now."""
        if not self.may_vote():
            return False
        if not self._peers:
            return True
        if self._is_disk_stuck():
            return False
        return self._is_fit() or self._is_leaderless()

    def _is_fit(self) -> bool:
        return not self.is_stopping and not self._disk_low()

    def _is_disk_stuck(self) -> bool:
        return self._writer.busy_s() > self._timing.election_max_s

    def _is_leaderless(self) -> bool:
        age_s = self._leader_age_s()
        if age_s is None:
            age_s = library.now_s() - self._began_s
        return age_s > 3 * self._timing.election_max_s

    def check_disk(self) -> None:
        """Step down when the log's sync hangs; end the process when it hangs for
        good.
        """
        busy_s = self._writer.busy_s()
        if busy_s > DISK_HANGS_S:
            self._fatal(f"the disk has not answered for {busy_s:.0f} s")
        if self._peers and self._core.is_leader and self._is_disk_stuck():
            self._core.step_down()

    def after_tick(self) -> None:
        """Give the lead up where that is due."""
        self.hand_over_if_unfit()
        self.step_down_if_deaf()

    def step_down_if_deaf(self) -> None:
        """Stop leading, and hang up, when no majority answers any more.

        Seen twice, an append period apart: after a stop of the process the answers are
        there, and have yet to be read.
        """
        now_s = library.now_s()
        silent_s = now_s - self._core.quorum_heard_s()
        is_deaf = silent_s > self._timing.leader_fallback_s
        if not self._peers or not self._core.is_leader or not is_deaf:
            self._deaf_since_s = None
            return
        if self._deaf_since_s is None:
            self._deaf_since_s = now_s
        if now_s - self._deaf_since_s < self._timing.append_period_s:
            return
        self._core.step_down()
        for peer in self._peers:  # Who hears us still need not wait until it misses us.
            self._hang_up(peer)

    def hand_over_if_unfit(self) -> None:
        """Ask one peer after the other to take the lead from us."""
        if self._is_fit() or not self._peers or not self._core.is_leader:
            return
        now_s = library.now_s()
        if now_s < self._next_ask_s:
            return
        for _ in self._peers:
            peer = self._peers[self._asked % len(self._peers)]
            self._asked += 1
            if self._core.hand_over_to(peer):
                self._next_ask_s = now_s + ASK_EVERY_S
                return
