"""PySyncObj as released, on simulated disk and network: its journal and its transport.

Nothing is mended here. The journal does what the released one does (it writes, and
never syncs), in the simulation's files instead of a memory map; the transport hands
messages over as the released one does, over the simulation's links.
"""

import pickle
from typing import Any

from pysyncobj.journal import Journal
from pysyncobj.node import Node
from pysyncobj.transport import Transport

from cluster.ports import Files, Links
from tests.support.sim_files import SimFiles

JOURNAL = "journal"
LENGTH_BYTES = 4


class ReleasedJournal(Journal):  # type: ignore[misc]
    """Entries in memory, each change appended to a file that nobody syncs."""

    def __init__(self, files: Files) -> None:
        assert isinstance(files, SimFiles)
        self._entries: list[tuple[bytes, int, int]] = []
        self._kept: dict[str, Any] = {"commit": 1, "term": 0, "vote": None}
        self._commit = 1
        size = self._replay(files) if JOURNAL in files.names() else 0
        self._file = files.open_append(JOURNAL)
        files.truncate(JOURNAL, size)
        files.sync_directory()
        self._commit = self._kept["commit"]

    def _replay(self, files: Files) -> int:
        reader = files.open_read(JOURNAL)
        data, at = reader.read_at(0, reader.size()), 0
        while at + LENGTH_BYTES <= len(data):
            end = (
                at + LENGTH_BYTES + int.from_bytes(data[at : at + LENGTH_BYTES], "big")
            )
            if end > len(data):
                break
            self._do(*pickle.loads(data[at + LENGTH_BYTES : end]))
            at = end
        return at

    def _change(self, what: str, *arguments: Any) -> None:
        record = pickle.dumps((what, *arguments))
        self._file.write(len(record).to_bytes(LENGTH_BYTES, "big") + record)
        self._do(what, *arguments)

    def _do(self, what: str, *arguments: Any) -> None:
        if what == "add":
            self._entries.append(arguments)
        elif what == "cut":
            del self._entries[arguments[0] : arguments[1]]
        else:
            self._kept.update(arguments[0])

    def add(self, command: bytes, idx: int, term: int) -> None:
        """Append an entry."""
        self._change("add", command, idx, term)

    def clear(self) -> None:
        """Remove all entries."""
        self._change("cut", 0, None)

    def deleteEntriesFrom(self, entryFrom: int) -> None:  # noqa: N802, N803
        """Remove the entries from a place on."""
        self._change("cut", entryFrom, None)

    def deleteEntriesTo(self, entryTo: int) -> None:  # noqa: N802, N803
        """Remove the entries up to a place."""
        self._change("cut", 0, entryTo)

    def __getitem__(self, idx: Any) -> Any:
        return self._entries[idx]

    def __len__(self) -> int:
        return len(self._entries)

    def _destroy(self) -> None:
        """Nothing to end."""

    def setRaftCommitIndex(self, raftCommitIndex: int) -> None:  # noqa: N802, N803
        """Remember it; it is written once a second."""
        self._commit = raftCommitIndex

    def getRaftCommitIndex(self) -> int:  # noqa: N802
        """Return what was remembered."""
        return self._commit

    def setCurrentTerm(self, currentTerm: int, votedFor: Any = None) -> None:  # noqa: N802, N803
        """Write term and vote."""
        self._change("keep", {"term": currentTerm, "vote": votedFor})

    def getCurrentTerm(self) -> Any:  # noqa: N802
        """Return the term."""
        return self._kept["term"]

    def getVotedForNodeId(self) -> Any:  # noqa: N802
        """Return the vote."""
        return self._kept["vote"]

    def onOneSecondTimer(self) -> None:  # noqa: N802
        """Write the commit index."""
        self._change("keep", {"commit": self._commit})


class ReleasedTransport(Transport):  # type: ignore[misc]
    """Messages as they are, pickled; a link's events are passed on."""

    links: Links

    def __init__(self, owner: Any, me: Node, others: list[Node]) -> None:
        super().__init__(owner, me, others)
        self._me = me
        self._peers = {node.id: node for node in others}
        self.links = owner.links

    def send(self, node: Node, message: Any) -> bool:
        """Send at once."""
        return self.links.send(node.id, pickle.dumps(message))

    def hello(self) -> bytes:
        """See LinkEvents."""
        return str(self._me.id).encode()

    def on_hello(self, peer: str, hello: bytes) -> str | None:
        """See LinkEvents."""
        return None

    def on_refused(self, peer: str, reason: str) -> None:
        """See LinkEvents."""

    def on_connected(self, peer: str) -> None:
        """See LinkEvents."""
        self._onNodeConnected(self._peers[peer])

    def on_disconnected(self, peer: str) -> None:
        """See LinkEvents."""
        self._onNodeDisconnected(self._peers[peer])

    def on_frame(self, peer: str, frame: bytes) -> None:
        """See LinkEvents."""
        self._onMessageReceived(self._peers[peer], pickle.loads(frame))
