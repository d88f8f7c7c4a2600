"""Replicas without HTTP: the real log on the real disk, over real links on loopback."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom
from typing import NoReturn

from cluster.config import ClusterConfig
from cluster.links.settings import Address, LinkConfig, NoSecurity
from cluster.links.tcp import TcpLinks
from cluster.ports import LinkEvents, Links, Surroundings
from cluster.raft import library
from cluster.replica import Replica
from cluster.state_machine import StateMachine
from cluster.status import Role
from cluster.storage.files import DirectoryFiles
from cluster.storage.lock import prepare_directory
from cluster.storage.thread import ThreadWorker

READY_S = 20.0
COMMAND_BYTES = 100


class Counter:
    """A state machine that does next to nothing, so that the log alone is measured."""

    def __init__(self) -> None:
        self.count = 0

    def apply(self, position: int, command: bytes) -> bytes:
        """Count."""
        self.count += 1
        return b""

    def applied(self, index: int) -> None:
        """Nobody reads."""

    def snapshot(self) -> Iterable[bytes]:
        """Return the count."""
        return [self.count.to_bytes(8, "big")]

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """Take the count."""
        self.count = int.from_bytes(b"".join(chunks), "big")
        yield


class _NoLinks:
    """The links of a cluster of one."""

    async def start(self, events: LinkEvents) -> None:
        """Open nothing."""

    def send(self, peer: str, frame: bytes) -> bool:
        """Reach nobody."""
        return False

    def drop(self, peer: str) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """Nothing to close."""


def _fatal(message: str) -> NoReturn:
    sys.stderr.write(message + "\n")
    os._exit(70)


@asynccontextmanager
async def member(
    node_id: str,
    addresses: dict[str, Address],
    folder: Path,
    machine: StateMachine,
) -> AsyncIterator[Replica]:
    """Run one replica; its data lies in ``folder``."""
    library.install()
    loop = asyncio.get_running_loop()
    prepare_directory(folder)
    peers = {k: v for k, v in addresses.items() if k != node_id}
    links: Links = _NoLinks()
    if peers:
        config = LinkConfig(node_id, peers, addresses[node_id], NoSecurity())
        links = TcpLinks(
            config, random=SystemRandom(), fatal=_fatal, on_rejected=lambda *_: None
        )
    surroundings = Surroundings(
        files=DirectoryFiles(folder),
        log_worker=ThreadWorker(loop, name="log"),
        bulk_worker=ThreadWorker(loop, name="bulk"),
        links=links,
        random=SystemRandom(),
        fatal=_fatal,
    )
    replica = Replica(ClusterConfig(node_id, tuple(addresses)), machine, surroundings)
    await replica.start()
    try:
        yield replica
    finally:
        await replica.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition. TimeoutError if it does not come."""
    async with asyncio.timeout(READY_S):
        while not condition():
            await asyncio.sleep(0.01)


def leads_all(replica: Replica) -> bool:
    """Whether it leads, and everybody is connected."""
    status = replica.status()
    return (
        status.role is Role.LEADER
        and status.caught_up
        and all(other.connected for other in status.members)
    )


async def flood(
    replica: Replica, commands: Iterator[bytes], *, outstanding: int
) -> None:
    """Propose all commands, so many at a time."""
    loop = asyncio.get_running_loop()

    async def one_by_one() -> None:
        for command in commands:
            await replica.propose(command, deadline_s=loop.time() + READY_S)

    await asyncio.gather(*(one_by_one() for _ in range(outstanding)))
