"""One attempt to propose, and what each of the library's answers means for it."""

import asyncio
from collections.abc import Callable
from typing import Any

from cluster.flight import Answer, Verdict
from cluster.identity import Standing
from cluster.raft.library import FAIL_REASON
from cluster.raft.node import RaftNode

_VERDICTS = {
    FAIL_REASON.SUCCESS: Verdict.DONE,
    FAIL_REASON.QUEUE_FULL: Verdict.OVERLOADED,
    FAIL_REASON.MISSING_LEADER: Verdict.REFUSED,
    FAIL_REASON.NOT_LEADER: Verdict.REFUSED,
    FAIL_REASON.REQUEST_DENIED: Verdict.REFUSED,
    FAIL_REASON.DISCARDED: Verdict.REFUSED,
    FAIL_REASON.LEADER_CHANGED: Verdict.UNKNOWN,
    FAIL_REASON.UNKNOWN_OUTCOME: Verdict.UNKNOWN,
}
"""Measured (RAFT.md, "Outcomes"): refused ones were never in the log, 6 % of the
unknown were.
"""


def submit(node: RaftNode, payload: bytes, answer: Answer) -> Callable[[], None]:
    """Propose once; ``answer`` may never come. The result withdraws interest in it."""
    core = node.core
    if node.identity.standing is Standing.EMPTY:  # no cluster yet, and no ticks
        refusal = asyncio.get_running_loop().call_soon(answer, Verdict.REFUSED, None)
        return refusal.cancel

    def on_library(result: Any, reason: int) -> None:
        answer(_VERDICTS.get(reason, Verdict.UNKNOWN), result)

    core.propose(payload, on_library)
    return lambda: core.forget(on_library)
