"""``python -m tests.support.planted DEFECT serve …``: the registry with a defect in it.

The same processes, command line and wiring as `registry serve`, so that whoever judges
real replicas can be seen to find each of these.
"""

import asyncio
import os
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from itertools import count

from cluster.raft.contact import Contact
from cluster.raft.divergence import Divergence
from cluster.replica import Replica
from cluster.status import Applied
from cluster.storage import files
from registry.catalog.commands import Deregister
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome, encode
from registry.cli import main
from registry.discovery import Consistency, Discovery, Provenance
from registry.duties import Duties
from registry.leases.clock import LeaseClock

HASTE_S = 0.001
"""How long the hasty one waits for the log before it answers all the same."""
SKIP_EACH = 20
"""Of so many deregisters a replica does not apply one, each another."""
FAIL_EACH = 20
"""Of so many consistent reads a replica breaks at one."""

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


def _skip_some_deregisters() -> None:
    """Each replica says that it removed some that it kept, and compares no CRCs."""
    deregister = getattr(CatalogMachine, "_deregister")  # noqa: B009
    own = os.getpid()

    def forgetful(self: CatalogMachine, position: int, command: Deregister) -> Outcome:
        if zlib.crc32(f"{own} {command.service_id}".encode()) % SKIP_EACH == 0:
            return Outcome(Code.OK)
        done: Outcome = deregister(self, position, command)
        return done

    setattr(CatalogMachine, "_deregister", forgetful)  # noqa: B010
    setattr(Divergence, "_compare", lambda *_: None)  # noqa: B010


def _break_at_some_reads() -> None:
    """Some consistent reads end in an error of our own."""
    reach = Discovery.reach
    numbers = count(1)

    async def fragile(
        self: Discovery, wanted: Consistency, *, deadline_s: float
    ) -> Provenance:
        if wanted.consistent and next(numbers) % FAIL_EACH == 0:
            raise RuntimeError("planted")
        return await reach(self, wanted, deadline_s=deadline_s)

    setattr(Discovery, "reach", fragile)  # noqa: B010


DEFECTS: dict[str, Callable[[], None]] = {
    "acknowledge-before-commit": _acknowledge_before_commit,
    "serve-before-catch-up": _serve_before_catch_up,
    "evict-on-own-clock": _evict_on_own_clock,
    "skip-syncs": _skip_syncs,
    "skip-some-deregisters": _skip_some_deregisters,
    "break-at-some-reads": _break_at_some_reads,
}

if __name__ == "__main__":
    DEFECTS[sys.argv.pop(1)]()
    main()
