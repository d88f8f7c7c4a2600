"""Membership: an identity is ours when it is on disk, not before."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from cluster.identity import Identity, Standing
from cluster.raft.membership import Membership
from tests.support.virtual import virtually

MEMBERS = ("a", "b", "c")
EMPTY = Identity("a", members=MEMBERS)
JOINING = Identity("a", "c1", 1, MEMBERS, Standing.JOINING)
MEMBER = Identity("a", "c1", 1, MEMBERS, Standing.MEMBER)


class Replica:
    """A membership, and the writer and core that it needs."""

    def __init__(self, identity: Identity) -> None:
        self.steps: list[str] = []
        self.writing: tuple[Identity, Callable[[], None]] | None = None
        self.synced = asyncio.Event()
        self.voted: list[str] = []
        self.membership = Membership(
            identity, cast("Any", self), self.changed, self.report
        )

    def write_identity(self, identity: Identity, done: Callable[[], None]) -> None:
        """Begin to write."""
        self.steps.append("write")
        self.writing = (identity, done)

    async def wait_synced(self) -> None:
        """Wait for the disk."""
        self.steps.append("sync")
        await self.synced.wait()

    def written(self) -> None:
        """Let the disk answer."""
        assert self.writing is not None
        self.writing[1]()

    def changed(self) -> None:
        """Note what was ours when it was told."""
        self.steps.append(f"changed to {self.membership.identity.standing}")

    def report(self, event: str, fields: dict[str, object]) -> None:
        """Note it."""
        self.steps.append(f"{event}: {fields['standing']}")

    def core(self, leader: str | None) -> Any:
        """Return a core that follows ``leader``."""
        return SimpleNamespace(leader=leader, adopt_vote=self.vote)

    def vote(self, candidate: str) -> None:
        """Note it."""
        self.steps.append(f"vote for {candidate}")


@virtually
async def test_an_identity_is_ours_when_it_is_on_disk() -> None:
    """What others hear of us must survive a power cut."""
    replica = Replica(EMPTY)
    replica.membership.adopt(MEMBER, lambda: replica.steps.append("done"))
    assert replica.membership.identity == EMPTY
    assert replica.steps == ["write"]
    replica.written()

    assert replica.membership.identity == MEMBER
    assert replica.steps[1:] == [
        "standing changed: member",
        "changed to member",
        "done",
    ]


@virtually
async def test_nobody_need_wait_for_it() -> None:
    """Founding goes on by what is said next."""
    replica = Replica(EMPTY)
    replica.membership.adopt(JOINING)
    replica.written()

    assert replica.membership.identity == JOINING


@virtually
async def test_the_vote_is_given_and_synced_before_joining_ends() -> None:
    """Our former self may have voted in this term: we must not, even after a crash."""
    replica = Replica(JOINING)
    becoming = asyncio.ensure_future(
        replica.membership.become_member(replica.core("b"))
    )
    await asyncio.sleep(0.1)
    assert replica.steps == ["vote for b", "sync"]
    replica.synced.set()
    await asyncio.sleep(0.1)
    assert replica.steps[2:] == ["write"]
    assert replica.membership.identity == JOINING
    assert not becoming.done()
    replica.written()
    await becoming

    assert replica.membership.identity == MEMBER


@virtually
async def test_without_a_leader_the_vote_is_its_own() -> None:
    """Any name will do, as long as nobody else gets it."""
    replica = Replica(JOINING)
    becoming = asyncio.ensure_future(
        replica.membership.become_member(replica.core(None))
    )
    await asyncio.sleep(0)
    becoming.cancel()

    assert replica.steps[0] == "vote for a"


@virtually
async def test_one_that_stops_while_it_joins_is_no_defect() -> None:
    """The disk answers for an identity that nobody waits for any more."""
    replica = Replica(JOINING)
    replica.synced.set()
    joining = asyncio.ensure_future(
        replica.membership.become_member(replica.core(leader="b"))
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    joining.cancel()
    await asyncio.gather(joining, return_exceptions=True)
    replica.written()

    assert replica.membership.identity == MEMBER
