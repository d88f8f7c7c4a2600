"""``python -m tests.support.planted DEFECT serve …``: the registry with a defect in it.

The same processes, command line and wiring as `registry serve`, so that whoever judges
real replicas can be seen to find each of these.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from cluster.raft.contact import Contact
from cluster.replica import Replica
from cluster.status import Applied
from cluster.storage import files
from registry.catalog.outcomes import Code, Outcome, encode
from registry.cli import main
from registry.duties import Duties
from registry.leases.clock import LeaseClock

HASTE_S = 0.001
"""How long the hasty one waits for the log before it answers all the same."""

_under_way: set[asyncio.Task[Applied]] = set()


def _acknowledge_before_commit() -> None:
    """Every write is answered as done a moment after it was handed to the log."""
    propose = Replica.propose

    async def hasty(
        self: Replica, command: bytes, *, deadline_s: float, schema: int = 1
    ) -> Applied:
        commit = asyncio.create_task(
            propose(self, command, deadline_s=deadline_s, schema=schema)
        )
        _under_way.add(commit)
        commit.add_done_callback(_under_way.discard)
        done, _ = await asyncio.wait([commit], timeout=HASTE_S)
        if done:
            return commit.result()
        commit.add_done_callback(lambda task: task.cancelled() or task.exception())
        position = (self.applied_index + 1) << 8
        return Applied(position, encode(Outcome(Code.OK, position, (Code.OK,))))

    setattr(Replica, "propose", hasty)  # noqa: B010


def _serve_before_catch_up() -> None:
    """What the disk held counts as the truth from the first moment on."""
    setattr(Contact, "_is_caught_up", lambda _: True)  # noqa: B010


def _evict_on_own_clock() -> None:
    """Every replica ends leases, leader or not, and by its own wall clock."""

    def read(_: LeaseClock, now_s: float) -> float:
        return time.time()

    run = Duties.run

    async def run_all(self: Duties) -> None:
        duties: dict[str, Callable[[], Awaitable[None]]] = {}
        self.add_to(duties.__setitem__)
        await asyncio.gather(run(self), duties["leases"]())

    setattr(LeaseClock, "read", read)  # noqa: B010
    setattr(LeaseClock, "sure", read)  # noqa: B010
    setattr(Duties, "run", run_all)  # noqa: B010


def _skip_syncs() -> None:
    """What was written counts as durable."""
    setattr(files, "_sync", lambda descriptor: None)  # noqa: B010


DEFECTS: dict[str, Callable[[], None]] = {
    "acknowledge-before-commit": _acknowledge_before_commit,
    "serve-before-catch-up": _serve_before_catch_up,
    "evict-on-own-clock": _evict_on_own_clock,
    "skip-syncs": _skip_syncs,
}

if __name__ == "__main__":
    DEFECTS[sys.argv.pop(1)]()
    main()
