"""PySyncObj itself: the one import, the check that it is the one we repaired, and its
globals.

All repairs reach into private names of one exact release, so a different release, or
`python -O` (which strips its checks), is refused at import instead of failing at night.
"""

import random
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pysyncobj.syncobj as _library
from pysyncobj import SyncObjConf
from pysyncobj.config import FAIL_REASON
from pysyncobj.journal import Journal
from pysyncobj.node import Node
from pysyncobj.syncobj import SyncObj
from pysyncobj.transport import Transport
from pysyncobj.version import VERSION

from cluster.errors import StartRefused

__all__ = [
    "CANDIDATE",
    "FAIL_REASON",
    "FOLLOWER",
    "LEADER",
    "Journal",
    "Node",
    "SyncObj",
    "SyncObjConf",
    "Transport",
    "install",
    "with_journal",
]

SUPPORTED_VERSION = "0.3.17"

FOLLOWER, CANDIDATE, LEADER = 0, 1, 2
"""Values of ``_RAFT_STATE``."""

ATTRIBUTES = frozenset(
    {
        "commandsLocalCounter",
        "commandsWaitingCommit",
        "commandsWaitingReply",
        "connectedNodes",
        "lastResponseTime",
        "newAppendEntriesTime",
        "raftCommitIndex",
        "raftElectionDeadline",
        "raftLastApplied",
        "raftLeader",
        "raftMatchIndex",
        "raftNextIndex",
        "raftState",
        "transferInProgress",
    }
)
METHODS = frozenset(
    {
        "applyLogEntries",
        "connectedToAnyone",
        "doApplyCommand",
        "loadDumpFile",
        "sendAppendEntries",
        "setCurrentTerm",
        "setState",
        "tryLogCompaction",
    }
)
"""Private names that `cluster/raft` touches; a test compares this with the sources."""

_GLOBALS = [
    "createJournal",
    "monotonicTime",
    "random",
    "createPoller",
    "pickle",
    "PIPE_NOTIFIER_ENABLED",
]


class _NoPickle:
    """In place of the library's pickle: nothing is ever unpickled."""

    @staticmethod
    def _refuse(*_: object, **__: object) -> Any:
        message = "pickle is not used: entries are NO_OP or our own envelope"
        raise RuntimeError(message)

    dumps = loads = dump = load = to_bytes = _refuse


class _NoPoller:
    """The event loop does all waiting, so the library's poller has nothing to do."""

    def poll(self, timeout: float) -> None:
        """Return at once."""

    def subscribe(self, *_: object) -> None:
        """Ignore: nothing is ever polled."""

    def unsubscribe(self, *_: object) -> None:
        """Ignore: nothing is ever polled."""


def missing_names(library: ModuleType, version: str, optimised: bool) -> list[str]:
    """Return, for people, every reason why this library is not the one we repaired."""
    syncobj = library.SyncObj
    known = set(syncobj.__init__.__code__.co_names)
    wrong = [] if version == SUPPORTED_VERSION else [f"its version is {version}"]
    wrong += [
        f"__{a} is missing" for a in sorted(ATTRIBUTES) if f"_SyncObj__{a}" not in known
    ]
    wrong += [
        f"__{m}() is missing"
        for m in sorted(METHODS)
        if not hasattr(syncobj, f"_SyncObj__{m}")
    ]
    if not hasattr(syncobj, "_checkCommandsToApply"):
        wrong.append("_checkCommandsToApply() is missing")
    wrong += [f"global {g} is missing" for g in _GLOBALS if not hasattr(library, g)]
    if optimised:
        wrong.append("python -O strips the checks that it relies on")
    return wrong


def install(
    now: Callable[[], float] = time.monotonic, rng: random.Random | None = None
) -> None:
    """Give the library's module its clock, its randomness, and stubs for what we
    replace.

    Called once per process; the simulation calls it for each run. Raises StartRefused
    when the library is not the one that our repairs were made for.
    """
    if wrong := missing_names(_library, VERSION, optimised=not __debug__):
        message = f"pysyncobj {SUPPORTED_VERSION} is needed: " + "; ".join(wrong)
        raise StartRefused(message)
    _library.monotonicTime = now
    _library.random = rng if rng is not None else random.SystemRandom()
    _library.createPoller = lambda _: _NoPoller()
    _library.pickle = _NoPickle()
    _library.PIPE_NOTIFIER_ENABLED = False


def now_s() -> float:
    """Return the library's time, so that our deadlines and its own are comparable."""
    return float(_library.monotonicTime())


def random_unit() -> float:
    """Return a number in [0, 1) from the library's randomness."""
    return float(_library.random.random())


def with_journal(journal: Journal, build: Callable[[], None]) -> None:
    """Run ``build``, which constructs a SyncObj, so that it gets ``journal``.

    The constructor asks the module global ``createJournal``; there is no other seam.
    """
    former = _library.createJournal
    _library.createJournal = lambda _: journal
    try:
        build()
    finally:
        _library.createJournal = former
