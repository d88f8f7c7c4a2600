"""What leaves this replica, and when: the rule that nothing promises what is not on
disk.

Votes, terms and acks wait until every record that the journal held when they were said
is synced. Appends leave at once, so that the followers' syncs overlap with the leader's
own. What one tick says is gathered, so that entries displace the empty append before
them.
"""

from collections import deque
from collections.abc import Callable

from cluster.raft.journal import RaftJournal
from cluster.raft.wire import Append, Forward, ForwardAnswer, Message, TimeoutNow

_PROMISE_NOTHING = (Forward, ForwardAnswer, TimeoutNow)
"""They say where a command was put, or what to do."""

MAX_HELD = 10_000
"""Messages that wait for a sync; beyond, the oldest goes (Raft repeats what matters).
"""


class Outbox:
    """Messages on their way to ``put(peer, message)``, in order per peer."""

    def __init__(
        self, journal: RaftJournal, put: Callable[[str, Message], bool]
    ) -> None:
        self._journal = journal
        self._put = put
        self._held: deque[tuple[int, str, Message]] = deque()
        self._gathered: dict[str, list[Message]] | None = None

    def send(self, peer: str, message: Message) -> bool:
        """Send now (or with the rest of the tick); False if there is no link."""
        if self._gathered is None:
            return self._put(peer, message)
        queue = self._gathered.setdefault(peer, [])
        if type(message) is Append and queue:
            former = queue[-1]
            if type(former) is Append and not former.entries:
                queue[-1] = message
                return True
        queue.append(message)
        return True

    def send_when_synced(self, peer: str, message: Message) -> bool:
        """Send once every record that the journal holds now is on disk.

        What promises nothing of this disk goes at once.
        """
        mark = self._journal.mark
        if type(message) in _PROMISE_NOTHING:
            return self.send(peer, message)
        if mark <= self._journal.synced_mark and not self._held:
            return self.send(peer, message)
        self._held.append((mark, peer, message))
        if len(self._held) > MAX_HELD:
            self._held.popleft()
        return True

    def begin_tick(self) -> None:
        """Gather what is sent from now on."""
        self._gathered = {}

    def end_tick(self) -> None:
        """Send what was gathered."""
        gathered, self._gathered = self._gathered, None
        for peer, messages in (gathered or {}).items():
            for message in messages:
                self._put(peer, message)

    def on_synced(self) -> None:
        """The journal's mark moved: let go what waited for it."""
        synced = self._journal.synced_mark
        while self._held and self._held[0][0] <= synced:
            _, peer, message = self._held.popleft()
            self._put(peer, message)
