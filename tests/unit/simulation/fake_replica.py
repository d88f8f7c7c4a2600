"""A replica of a cluster of one, small enough to be obviously right, and wrong ones.

What the simulation must accept, and what it must find: each flaw breaks one promise.
"""

import asyncio
from collections.abc import Iterator
from enum import Enum, auto

import msgspec

from cluster.config import ClusterConfig
from cluster.errors import NoLeader
from cluster.ports import AppendFile, Surroundings
from cluster.state_machine import StateMachine
from cluster.status import Applied, Role, Status
from tests.support.sim_files import SimFiles

LOG = "log"
LENGTH_BYTES = 4


class Flaw(Enum):
    """What a wrong replica does."""

    NONE = auto()
    ANSWERS_BEFORE_THE_SYNC = auto()
    APPLIES_TWICE = auto()
    FORGETS_AT_RESTART = auto()
    REFUSES_WHAT_IT_APPLIES = auto()
    FAILS_FOR_NO_REASON = auto()


class FakeReplica:
    """One entry per command: write, sync, apply, answer."""

    def __init__(
        self,
        config: ClusterConfig,
        machine: StateMachine,
        surroundings: Surroundings,
        *,
        flaw: Flaw = Flaw.NONE,
    ) -> None:
        self._config = config
        self._machine = machine
        self._outside = surroundings
        self._flaw = flaw
        self._file: AppendFile | None = None
        self._turn = asyncio.Lock()
        self.applied_index = 0
        self.schema = config.schema

    async def start(self) -> None:
        """Apply what the log holds; its torn end was never acknowledged."""
        files = self._outside.files
        assert isinstance(files, SimFiles)
        if LOG in files.names() and self._flaw is not Flaw.FORGETS_AT_RESTART:
            size = 0
            for command in _commands(self._read_log()):
                size += LENGTH_BYTES + len(command) + 1
                self._apply(command)
            files.truncate(LOG, size)
        elif LOG in files.names():
            files.truncate(LOG, 0)
        self._file = files.open_append(LOG)
        files.sync_directory()

    def _read_log(self) -> bytes:
        source = self._outside.files.open_read(LOG)
        return source.read_at(0, source.size())

    async def stop(self) -> None:
        """Finish what is under way."""
        async with self._turn:
            pass

    async def propose(self, command: bytes, *, deadline_s: float) -> Applied:
        """Replicate; a caller who goes away leaves the command on its way."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.create_task(self._carry(command)))

    async def _carry(self, command: bytes) -> Applied:
        """Log, sync, apply, in that order unless flawed."""
        async with self._turn:
            if self._flaw is Flaw.FAILS_FOR_NO_REASON:
                self._outside.fatal("no reason")
            record = len(command).to_bytes(LENGTH_BYTES, "big") + command + b"\n"
            if self._flaw is not Flaw.ANSWERS_BEFORE_THE_SYNC:
                await self._logged(record)
            applied = self._apply(command)
            if self._flaw is Flaw.ANSWERS_BEFORE_THE_SYNC:
                self._begin(record)
            if self._flaw is Flaw.APPLIES_TWICE:
                self._apply(command)
            refuses = self._flaw is Flaw.REFUSES_WHAT_IT_APPLIES
            if refuses and self.applied_index % 7 == 0:
                raise NoLeader("it is there all the same")
            return applied

    def _apply(self, command: bytes) -> Applied:
        self.applied_index += 1
        position = self.applied_index * 256
        try:
            outcome = self._machine.apply(position, command)
        except ValueError:
            outcome = b"refused"
        self._machine.applied(self.applied_index)
        return Applied(position, outcome)

    async def _logged(self, record: bytes) -> None:
        await self._begin(record)

    def _begin(self, record: bytes) -> "asyncio.Future[None]":
        file = self._file
        assert file is not None
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def job() -> None:
            file.write(record)
            file.sync()

        def finished(_: None) -> None:
            if not done.done():  # its caller may have gone away
                done.set_result(None)

        self._outside.log_worker.submit(
            job,
            finished,
            lambda error: self._outside.fatal(f"the log: {error}"),
        )
        return done

    async def barrier(self, *, deadline_s: float) -> int:
        """Wait for the command under way."""
        async with self._turn:
            pass
        return self.applied_index

    async def wait_applied(self, index: int, *, deadline_s: float) -> bool:
        """Everything is applied before it is answered."""
        return self.applied_index >= index

    def status(self) -> Status:
        """Lead for ever: one term per start would need a file, so it is term 1."""
        name, index = self._config.node_id, self.applied_index
        return Status(
            node_id=name,
            cluster_id="fake",
            epoch=1,
            role=Role.LEADER,
            term=1,
            leader=name,
            applied_index=index,
            commit_index=index,
            last_index=index,
            caught_up=True,
            contact_age_s=0.0,
            stopping=False,
            waiting_for="",
            degraded=(),
            members=(),
        )


def _commands(log: bytes) -> Iterator[bytes]:
    """Yield the whole commands; a torn or garbled one ends the log."""
    while len(log) >= LENGTH_BYTES:
        end = LENGTH_BYTES + int.from_bytes(log[:LENGTH_BYTES], "big")
        if log[end : end + 1] != b"\n":
            return
        try:
            msgspec.msgpack.decode(log[LENGTH_BYTES:end])
        except msgspec.DecodeError:
            return
        yield log[LENGTH_BYTES:end]
        log = log[end + 1 :]
