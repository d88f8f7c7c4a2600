"""What happened in a run, with times: the file that nobody can argue with.

One JSON line per record, in the order in which each became known. All times are
seconds on the monotonic clock of the one machine that runs the test.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self, TypeVar

import msgspec

DONE = "done"
REFUSED = "refused"
UNKNOWN = "unknown"
"""No answer, or one that says that it may or may not have been done."""


class Run(msgspec.Struct, frozen=True, tag="run", omit_defaults=True):
    """What this is a run of; the first record."""

    bed: str
    seed: int
    nodes: tuple[str, ...]
    ttl_s: float
    """Time to live of every registration that has one."""
    began_s: float


class Call(msgspec.Struct, frozen=True, gc=False, tag="call", omit_defaults=True):
    """One request of a client and what came back."""

    client: str
    """One client makes one call at a time."""
    replica: str
    op: str
    """``register``, ``deregister``, ``heartbeat``, or ``list``."""
    service: str
    invoked_s: float
    returned_s: float
    outcome: str
    """``done``, ``refused`` (it certainly had no effect) or ``unknown``."""
    code: str = ""
    """Of a refusal: the problem's; of an unknown one: it, or the error's name."""
    address: str = ""
    """Of a write: ``host:port`` of the instance."""
    service_id: str = ""
    """Of a write: the registration's. Empty for a register that did not say."""
    index: int = 0
    """``X-Registry-Index`` of the answer."""
    min_index: int = 0
    """Of a read: what it demanded."""
    is_consistent: bool = False
    """Of a read: whether it asked for a barrier."""
    listed: tuple[tuple[str, str], ...] = ()
    """Of a read: (service_id, ``host:port``) of each instance, as answered."""


class Life(msgspec.Struct, frozen=True, gc=False, tag="life", omit_defaults=True):
    """What a test did to an instance: the truth that the lists are measured by."""

    at_s: float
    event: str
    """``beats`` (heartbeats begin), ``silent`` (they end), ``answers`` (its health
    endpoint passes from now on), ``fails`` (it does not)."""
    service: str
    address: str
    service_id: str


class Fault(msgspec.Struct, frozen=True, gc=False, tag="fault", omit_defaults=True):
    """A verb of the bed that was done, from ``began_s`` to ``done_s``."""

    verb: str
    targets: tuple[str, ...]
    """Replicas that are not untouched from now on (until ``heal``/``start``/…)."""
    began_s: float
    done_s: float
    detail: str = ""
    is_over: bool = False
    """True for a verb that ends a fault: ``targets`` are untouched again."""


class Look(msgspec.Struct, frozen=True, gc=False, tag="look", omit_defaults=True):
    """What a replica said of itself (``/cluster``, ``/metrics``)."""

    at_s: float
    replica: str
    role: str
    leader: str
    term: int
    index: int
    memory_bytes: int = 0
    open_files: int = 0
    tasks: int = 0


class Stuck(msgspec.Struct, frozen=True, gc=False, tag="stuck", omit_defaults=True):
    """The cluster did not come back after a fault was put right."""

    at_s: float
    text: str


class Ending(msgspec.Struct, frozen=True, tag="ending", omit_defaults=True):
    """What one replica knows when all is healed and everybody has caught up."""

    at_s: float
    replica: str
    index: int
    listed: dict[str, tuple[tuple[str, str, str], ...]]
    """By service, every status: (service_id, ``host:port``, status)."""
    changes: dict[str, tuple[tuple[str, str, str, str], ...]]
    """By service, oldest first: (service_id, from, to, cause) of its history."""


Record = Run | Call | Life | Fault | Look | Stuck | Ending
R = TypeVar("R", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


class Evidence:
    """Records, all of them; checkers ask for those of one kind."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._by_kind: dict[type, list[Record]] = {}
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Take one more."""
        self._by_kind.setdefault(type(record), []).append(record)

    def of(self, kind: type[R]) -> list[R]:
        """Return the records of a kind, as they came."""
        found = self._by_kind.get(kind, [])
        return [record for record in found if isinstance(record, kind)]

    @property
    def run(self) -> Run:
        """What this is a run of."""
        (run,) = self.of(Run)
        return run

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what a `Recorder` wrote."""
        return cls(_lines(path))


class Recorder:
    """Evidence that is on disk as well: a run that dies leaves what it had seen.

    Any thread may add; one call writes one line.
    """

    def __init__(self, path: Path) -> None:
        self.evidence = Evidence()
        self._file = path.open("ab", buffering=0)

    def add(self, record: Record) -> None:
        """Take one more, and write it."""
        self.evidence.add(record)
        self._file.write(_encoder.encode(record) + b"\n")

    def close(self) -> None:
        """Close the file; the evidence stays."""
        self._file.close()


def _lines(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        for line in file:
            yield _decoder.decode(line)
