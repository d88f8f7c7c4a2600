"""Appends on their way to each follower: a window of bytes instead of all at once.

The library pushes everything from a follower's next index to the end in one tick. More
than a link buffers would end the link and be sent again, for ever: a follower far
behind never caught up. Here at most WINDOW_BYTES of entries are unanswered per
follower; its acks let the next ones go, and empty appends go on as signs of life.
"""

from collections import deque
from collections.abc import Callable

from cluster.entry import LogEntry
from cluster.raft.journal import RaftJournal
from cluster.raft.outbox import Outbox
from cluster.raft.wire import Append

WINDOW_BYTES = 4 * 1024 * 1024
MESSAGE_BYTES = 1024 * 1024
ENTRY_OVERHEAD_BYTES = 32


class Appends:
    """What was sent to whom and is not answered yet.

    ``offer_snapshot(peer)`` is asked when the log no longer reaches back to what the
    peer lacks; ``is_receiving(peer)`` says whether a snapshot is on its way to it.
    """

    def __init__(
        self,
        journal: RaftJournal,
        outbox: Outbox,
        *,
        offer_snapshot: Callable[[str], None],
        is_receiving: Callable[[str], bool],
    ) -> None:
        self.seq = 0
        """Number of the newest append, so that answers to older ones can be told."""
        self._journal = journal
        self._outbox = outbox
        self._offer_snapshot = offer_snapshot
        self._is_receiving = is_receiving
        self._unanswered: dict[str, deque[tuple[int, int]]] = {}
        self._unanswered_bytes: dict[str, int] = {}

    def send(
        self, peer: str, next_index: int, term: int, commit_index: int, *, alive: bool
    ) -> int:
        """Send what ``peer`` lacks from ``next_index`` on, as far as the window goes.

        With ``alive`` at least an empty append. Returns the peer's new next index.
        """
        journal = self._journal
        sent = False
        if next_index <= journal.first_index:
            self._offer_snapshot(peer)
            next_index = journal.last_index + 1  # its answer rewinds it
        elif not self._is_receiving(peer):
            while next_index <= journal.last_index and self._has_room(peer):
                entries = self._slice(next_index)
                self._put(peer, next_index, term, commit_index, entries)
                next_index += len(entries)
                sent = True
        if alive and not sent:
            self._put(peer, next_index, term, commit_index, [])
        return next_index

    def _slice(self, first: int) -> list[LogEntry]:
        log = self._journal.log
        start = end = first - log[0][1]
        size = 0
        while end < len(log):
            size += len(log[end][0]) + ENTRY_OVERHEAD_BYTES
            if end > start and size > MESSAGE_BYTES:
                break
            end += 1
        return log[start:end]

    def _put(
        self,
        peer: str,
        next_index: int,
        term: int,
        commit_index: int,
        entries: list[LogEntry],
    ) -> None:
        prev_term = self._journal.term_at(next_index - 1)
        if prev_term is None:
            message = f"the next index {next_index} of {peer} is beyond the log"
            raise RuntimeError(message)
        self.seq += 1
        append = Append(
            term, commit_index, next_index - 1, prev_term, self.seq, entries
        )
        self._outbox.send(peer, append)
        if entries:
            size = sum(len(command) + ENTRY_OVERHEAD_BYTES for command, _, _ in entries)
            queue = self._unanswered.setdefault(peer, deque())
            queue.append((entries[-1][1], size))
            self._unanswered_bytes[peer] = self._unanswered_bytes.get(peer, 0) + size

    def _has_room(self, peer: str) -> bool:
        return self._unanswered_bytes.get(peer, 0) < WINDOW_BYTES

    def answered(self, peer: str, next_index: int) -> None:
        """The peer holds everything before ``next_index``."""
        queue = self._unanswered.get(peer)
        while queue and queue[0][0] < next_index:
            self._unanswered_bytes[peer] -= queue.popleft()[1]

    def forget(self, peer: str) -> None:
        """Nothing that was sent to ``peer`` will be answered: link or position
        changed.
        """
        self._unanswered.pop(peer, None)
        self._unanswered_bytes.pop(peer, None)
