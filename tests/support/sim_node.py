"""A simulated host: a disk that survives, and one life after another of a replica.

    down --start--> up --kill, power_cut, crash at a file operation, fatal, stop--> down

A life has its own loop, workers, links and replica; the files alone are carried over.
Clients call through ``call``: a call on a node that dies is answered by NodeDown,
as a broken connection would be.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, NoReturn, TypeVar

from cluster.config import ClusterConfig
from cluster.errors import ClusterError, StartRefused
from cluster.ports import Surroundings
from cluster.state_machine import StateMachine
from cluster.status import Status
from tests.support.sim_files import SimFiles
from tests.support.sim_host import Host, NodeDown, ReplicaPort
from tests.support.sim_links import SimLinks
from tests.support.sim_node_loop import NodeLoop
from tests.support.sim_worker import Crash, SimWorker

T = TypeVar("T")

SCARCE_BYTES = 2**30
"""With less free disk, a fatal error is no wonder."""
BOOT_CLOCK_S = 2**16
"""A life's monotonic clock begins at a whole number of seconds below this."""


class SimNode:
    """One host. Invariant: at most one life at a time touches its files."""

    def __init__(
        self,
        host: Host,
        config: ClusterConfig,
        files: SimFiles,
        random: Random,
        make_machine: Callable[["SimNode"], StateMachine],
    ) -> None:
        self.node_id = config.node_id
        self.config = config
        self.files = files
        self.lives = 0
        self.serving = False
        self.crash_in: int | None = None
        """File operations until the process dies in one."""
        self.power_fails_then = False
        self.disk_fails_in: int | None = None
        """File operations until one raises EIO."""
        self.disk_has_failed = False
        """In this life, so that its end is no wonder."""
        self.replica: ReplicaPort | None = None
        self.machine: StateMachine | None = None
        self.after_turn: Callable[[SimNode], None] | None = None
        self._host = host
        self._random = random
        self._make_machine = make_machine
        self._loop: NodeLoop | None = None
        self._links: SimLinks | None = None
        self._workers: tuple[SimWorker, ...] = ()
        self._calls: dict[asyncio.Future[Any], None] = {}
        self._deaths = 0
        files.on_operation = self._on_operation

    # -- lives

    @property
    def up(self) -> bool:
        """Whether a process runs (it may be paused, or still starting)."""
        return self._loop is not None

    @property
    def paused(self) -> bool:
        """Whether the process is stopped by a signal."""
        return self._loop is not None and self._loop.paused

    def start(self) -> None:
        """Begin a new life over the files as they are."""
        if self.up:
            return
        host, self.lives = self._host, self.lives + 1
        loop = NodeLoop(
            host.sim,
            clock_starts_s=self._random.randrange(BOOT_CLOCK_S),
            time_call_costs_s=host.time_call_costs_s,
            on_complaint=self._on_complaint,
        )
        loop.after_turn = self._after_turn
        links = SimLinks(host.net, loop, self.node_id, self.config.peers)
        workers = tuple(
            SimWorker(loop, self._random, host.disk_latency_s) for _ in range(2)
        )
        self._loop, self._links, self._workers = loop, links, workers
        self.disk_has_failed = False
        machine = self.machine = self._make_machine(self)
        surroundings = Surroundings(
            files=self.files,
            log_worker=workers[0],
            bulk_worker=workers[1],
            links=links,
            random=Random(self._random.getrandbits(64)),
            fatal=lambda reason: self._fatal_and_gone(loop, reason),
            report=self._report,
        )
        host.watcher.say(f"{self.node_id} starts (life {self.lives})")
        loop.create_task(self._live(loop, machine, surroundings))

    async def _live(
        self, loop: NodeLoop, machine: StateMachine, surroundings: Surroundings
    ) -> None:
        try:
            replica = self._host.make_replica(self.config, machine, surroundings)
            self.replica = replica
            await replica.start()
        except StartRefused as error:
            self._fatal(loop, f"refuses to start: {error}")
        except OSError as error:
            self._fatal(loop, f"cannot start: {error}")
        else:
            self.serving = not loop.dead

    def kill(self, why: str = "SIGKILL") -> None:
        """End the process; the operating system keeps what it wrote."""
        self._die(why, power=False)

    def power_cut(self) -> None:
        """End the process, and lose what no sync has covered (also of a dead one)."""
        if self.up:
            self._die("power cut", power=True)
        else:
            self.files.power_cut(self._random)

    def wipe(self) -> None:
        """Give the host an empty disk."""
        self.kill("disk wiped")
        self.files = SimFiles()
        self.files.on_operation = self._on_operation

    def pause(self) -> None:
        """SIGSTOP."""
        if self._loop is not None:
            self._host.watcher.say(f"{self.node_id} is paused")
            self._loop.pause()

    def resume(self) -> None:
        """SIGCONT."""
        if self._loop is not None and self._loop.paused:
            self._host.watcher.say(f"{self.node_id} goes on")
            self._loop.resume()

    def stall_disk(self, seconds: float) -> None:
        """Let the disk answer nothing for a while."""
        if self._loop is not None:
            self._host.watcher.say(f"{self.node_id}: disk stalls {seconds:.2f} s")
            for worker in self._workers:
                self._loop.run_inside(lambda worker=worker: worker.stall(seconds))  # type: ignore[misc]

    async def stop(self, *, within_s: float) -> bool:
        """SIGTERM, and SIGKILL if that takes too long; whether it was graceful."""
        life = self.lives
        if not self.serving:
            self.kill("SIGTERM while starting")
            return True
        self._host.watcher.say(f"{self.node_id} gets SIGTERM")
        try:
            async with asyncio.timeout(within_s):
                await self.call(lambda replica: replica.stop())
        except (NodeDown, ClusterError):
            return True
        except TimeoutError:
            graceful = False
        else:
            graceful = True
        if self.lives == life:
            self.kill("exits" if graceful else "SIGKILL after SIGTERM")
        return graceful

    def _die(self, why: str, *, power: bool) -> None:
        loop, links = self._loop, self._links
        if loop is None or links is None:
            return
        self._host.watcher.say(f"{self.node_id} ends: {why}")
        self._deaths += 1
        self._loop = self._links = self.replica = None
        self.serving, self.crash_in, self.disk_fails_in = False, None, None
        loop.kill()
        survive = self._random.random() if power else 1.0
        links.vanish(lambda count: int(count * survive), silently=power)
        if power:
            self.files.power_cut(self._random)
        else:
            self.files.crash()
        self._host.sim.call_soon(loop.bury)
        calls, self._calls = self._calls, {}
        for call in calls:
            if not call.done():
                call.set_exception(NodeDown(f"{self.node_id} ended: {why}"))

    # -- what the node does to itself

    def _on_operation(self, operation: str) -> None:
        """Crash or fail in the middle of a file operation (the files call this)."""
        if self._loop is None:
            raise Crash
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self._die(f"in {operation}", power=self.power_fails_then)
                raise Crash
        if self.disk_fails_in is not None:
            self.disk_fails_in -= 1
            if self.disk_fails_in < 0:
                self.disk_fails_in = None
                self.disk_has_failed = True
                self._host.watcher.say(f"{self.node_id}: {operation} fails")
                raise OSError(errno.EIO, f"injected into {operation}")

    def _fatal(self, loop: NodeLoop, reason: str) -> None:
        if loop.dead:
            return
        excused = self.disk_has_failed or self.files.free < SCARCE_BYTES
        power = excused and self._random.random() < 0.5
        self._die(f"fatal: {reason}", power=power)
        if not excused:
            self._host.watcher.ended(self.node_id, self.config.schema, reason)

    def _fatal_and_gone(self, loop: NodeLoop, reason: str) -> NoReturn:
        self._fatal(loop, reason)
        raise Crash

    def _report(self, event: str, fields: dict[str, object]) -> None:
        told = " ".join(f"{name}={value}" for name, value in fields.items())
        self._host.watcher.say(f"{self.node_id}: {event} {told}")

    def _on_complaint(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Crash) or self.disk_has_failed:
            return
        self._host.watcher.violated(
            f"{self.node_id}: {context.get('message')}: {error!r}"
        )

    def _after_turn(self) -> None:
        if self.after_turn is not None and self.replica is not None:
            self.after_turn(self)

    # -- clients

    def status(self) -> Status | None:
        """Return what the replica says of itself; None while it cannot."""
        loop, replica = self._loop, self.replica
        if loop is None or replica is None or not self.serving:
            return None
        return loop.run_inside(replica.status)

    def call(self, ask: Callable[[ReplicaPort], Awaitable[T]]) -> "asyncio.Future[T]":
        """Call the replica on its own loop; the future belongs to the simulation's."""
        answer: asyncio.Future[T] = self._host.sim.create_future()
        loop, replica = self._loop, self.replica
        if loop is None or replica is None or not self.serving:
            answer.set_exception(NodeDown(f"{self.node_id} is not there"))
            return answer
        self._calls[answer] = None
        task = loop.create_task(self._serve(answer, replica, ask))

        def gone(answered: "asyncio.Future[T]") -> None:
            if answered.cancelled():  # the client closed its connection
                loop.call_soon(task.cancel)

        answer.add_done_callback(gone)
        return answer

    async def _serve(
        self,
        answer: "asyncio.Future[T]",
        replica: ReplicaPort,
        ask: Callable[[ReplicaPort], Awaitable[T]],
    ) -> None:
        try:
            result = await ask(replica)
        except ClusterError as error:
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(result)
        finally:
            self._calls.pop(answer, None)

    def now_s(self) -> float:
        """Return the node's own clock (deadlines are given in it)."""
        return self._loop.time() if self._loop is not None else 0.0
